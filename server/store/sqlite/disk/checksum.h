/* A checksum over the values of a row, stored in the row, which detects accidental damage. */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

/* The checksum of count values.  They may be from sqlite3_column_value, on a connection that no other thread
 * uses. */
uint64_t checksum_of(sqlite3_value **values, int count);

/* Adds the SQL function row_checksum(value, ...) to handle.  Returns a result code of SQLite. */
__attribute__((warn_unused_result)) int checksum_register(sqlite3 *handle);
