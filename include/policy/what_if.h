/*
 * what_if - who would break if servers asked for more: a higher version, or one of some suites.
 *
 * Answers come from what clients offered, not from what was negotiated, as verdicts:
 *
 *   broken      is refused already, whatever is asked for
 *   will-break  its offer is too little
 *   unclear     what was stored of its offer does not settle it; the reason says what is missing
 *   cleartext   uses no TLS
 *   ok          its offer is enough; or it was too little, and has been replaced since
 *
 * Whether each server can do what is asked for is not the question.
 */
#ifndef TLSTALLY_POLICY_WHAT_IF_H
#define TLSTALLY_POLICY_WHAT_IF_H

#include "base/buf.h"
#include "policy/verdict.h"

#define WHAT_IF_SUITES_MAX 512

struct what_if {
	uint16_t minimum; /* TLS_VERSION_*; 0: any */
	bool has_suites;
	uint16_t suites[WHAT_IF_SUITES_MAX]; /* of which the server takes one */
	size_t suite_count;
};

typedef void (*what_if_fault_fn)(void *arg, unsigned line, const char *text);
/*
 * Reads a list of suites: IANA names or numbers such as 0xc02f, one a line; # begins a comment.
 * Returns how many lines are wrong: then there is no answer, because one suite more may be all that
 * a client needs.
 */
size_t what_if_read_suites(
    struct what_if *question, struct span text, what_if_fault_fn fault, void *arg);

/* As policy_judge() and policy_judge_client(). */
void what_if_judge(const struct what_if *question, const struct policy *policy,
    const struct finding *findings, size_t count, enum verdict *out);
enum verdict what_if_judge_client(const struct what_if *question, const struct finding *findings,
    const enum verdict *verdicts, size_t count, struct buf *reason);

#endif
