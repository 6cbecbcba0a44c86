#include "app/judge.h"

#include <stdlib.h>

#include "base/xalloc.h"

#include "base/banned.h"

uint8_t
judge_client(
    void *arg, const struct finding *findings, size_t count, uint8_t *ranks, struct buf *reason)
{
	const struct policy *policy = arg;
	enum verdict few[32];
	enum verdict *verdicts = count <= 32 ? few : xcalloc(count, sizeof(*verdicts));
	enum verdict worst;

	policy_judge(policy, findings, count, verdicts);
	worst = policy_judge_client(policy, findings, verdicts, count, reason);
	for (size_t i = 0; i < count; i++)
		ranks[i] = (uint8_t)verdicts[i];
	if (verdicts != few)
		free(verdicts);
	return (uint8_t)worst;
}
