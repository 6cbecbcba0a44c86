/*
 * judge - lets the store ask the policy, without either knowing the other.
 */
#ifndef TLSTALLY_SINK_JUDGE_H
#define TLSTALLY_SINK_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "policy/verdict.h"
#include "store/store.h"

/* For store_set_judge; `arg` is a struct policy. */
uint8_t judge_client(void *arg, const struct finding *findings, size_t count,
    struct store_judgement *out, struct buf *reason);

#endif
