/* A run, the part of an operation that lives until its end: made when it is submitted or recovered, freed when it ends. */
#pragma once

struct op;
struct op_run;
struct work_input;

/* Gives op its run, in PHASE_NEW.  Takes input, which may be NULL where the stored one is not readable. */
struct op_run *op_run_new(struct op *op, struct work_input *input);

/* Moves op to PHASE_OVER and frees its run.  The next change of the same resource may then run. */
void op_run_free(struct op *op);
