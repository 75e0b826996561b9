import { describeTables } from '../support/tables.js';
import { tables } from './tables/functions.js';

describeTables('captured functions', 'functions', tables);
