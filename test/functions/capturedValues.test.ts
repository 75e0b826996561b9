import { describeTables } from '../support/tables.js';
import { tables } from './tables/values.js';

describeTables('captured values', 'values', tables);
