import { describeTables, tableModule } from '../support/tables.js';
import { tables } from './tables/functions.js';

describeTables(['threading', 'spawn'], 'captured functions', tableModule('functions'), tables);
