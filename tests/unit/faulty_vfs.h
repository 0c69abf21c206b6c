/* SQLite's default VFS, that fails and waits where a test says so; and fsync(2), that fails likewise. */
#pragma once

#include <stdbool.h>

enum faulty_call { FAULTY_READ, FAULTY_WRITE, FAULTY_SYNC, FAULTY_CALL_COUNT };
enum faulty_file { FAULTY_DATABASE, FAULTY_LOG, FAULTY_OTHER, FAULTY_FILE_COUNT };

/* Makes it the default, once; what was opened before stays as it was. */
void faulty_install(void);

/* Lets skip such calls pass, then fails count of them with a result code of SQLite. */
void faulty_fail(
	enum faulty_call call, enum faulty_file file, unsigned skip, unsigned count, int result_code);

/* No more failures. */
void faulty_clear(void);

/* Such calls since faulty_install or the last faulty_clear, failed ones included. */
unsigned faulty_count(enum faulty_call call, enum faulty_file file);

/* Holds every sync of a log from now on.  faulty_wait_held returns once one is held, faulty_step lets that
 * one pass, faulty_release that one and all that follow. */
void faulty_hold(void);
void faulty_wait_held(void);
void faulty_step(void);
void faulty_release(void);

/* The program's own calls of fsync(2), other than SQLite's, fail with EIO from now on, or no longer. */
void faulty_fail_fsync(bool fail);
