/* For tests of a failing disk: a VFS of SQLite whose calls fail or wait on demand, and an fsync(2) that fails
 * on demand. */
#pragma once

#include <stdbool.h>

enum faulty_call { FAULTY_READ, FAULTY_WRITE, FAULTY_SYNC, FAULTY_CALL_COUNT };
enum faulty_file { FAULTY_DATABASE, FAULTY_LOG, FAULTY_OTHER, FAULTY_FILE_COUNT };

/* Makes it SQLite's default VFS, once; databases that are already open are not affected. */
void faulty_install(void);

/* Lets skip calls of that kind pass, then makes count of them fail with a result code of SQLite. */
void faulty_fail(
	enum faulty_call call, enum faulty_file file, unsigned skip, unsigned count, int result_code);

/* Ends all failures and sets all counters to 0. */
void faulty_clear(void);

/* The number of such calls since faulty_install or the last faulty_clear, including failed ones. */
unsigned faulty_count(enum faulty_call call, enum faulty_file file);

/* Holds every sync of a log from now on. faulty_wait_held returns once one is held; faulty_step lets that one
 * pass; faulty_release lets it and all later ones pass. */
void faulty_hold(void);
void faulty_wait_held(void);
void faulty_step(void);
void faulty_release(void);

/* From now on the program's own calls of fsync(2), not SQLite's, fail with EIO, or succeed again. */
void faulty_fail_fsync(bool fail);
