/* The judgement of a call's body, before its operation is accepted or after. */
#pragma once

#include <stdbool.h>

struct call;
struct problem_report;

/* Has the body judged, on a thread if that takes long; then calls judged.  If it takes too long for the 202, the call is
 * submitted unjudged instead. */
void call_judge(struct call *call, void (*judged)(struct call *call));
bool call_wants_intake(const struct call *call);

/* The same, but the body is only parsed. */
void call_parse(struct call *call, void (*parsed)(struct call *call));

/* Forgets the body that a thread judges. */
void call_abandon_judging(struct call *call);

/* Each ends a late call: its body is good, is a change (call->change), or is refused. */
void call_late_pass(struct call *call);
void call_late_attach(struct call *call);
void call_late_fail(struct call *call, const struct problem_report *report);
