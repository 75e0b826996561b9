import { describeTables, tableModule } from '../support/tables.js';
import { tables } from './tables/values.js';

describeTables(['threading', 'spawn'], 'captured values', tableModule('values'), tables);
