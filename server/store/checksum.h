/* A checksum over the values of a row, kept in the row, which finds what was damaged by accident. */
#pragma once

#include <sqlite3.h>

/* Gives handle the SQL function row_checksum(value, ...).  A result code of SQLite. */
__attribute__((warn_unused_result)) int checksum_register(sqlite3 *handle);
