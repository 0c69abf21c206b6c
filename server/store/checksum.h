/* A checksum over the values of a row, kept in the row, which finds what was damaged by accident. */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

/* The checksum of so many values.  They may be of sqlite3_column_value, on a connection that no other thread
 * uses. */
uint64_t checksum_of(sqlite3_value **values, int count);

/* Gives handle the SQL function row_checksum(value, ...).  A result code of SQLite. */
__attribute__((warn_unused_result)) int checksum_register(sqlite3 *handle);
