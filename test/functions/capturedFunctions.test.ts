import { describeTables, tableModule } from '../support/tables.js';
import { tables } from './tables/functions.js';

describeTables('captured functions', tableModule('functions'), tables);
