#include "sink/judge.h"

#include <stdlib.h>

#include "base/xalloc.h"

#include "base/banned.h"

static uint8_t
server_flags(const struct policy *policy, const struct finding *f)
{
	struct switch_off_match match;

	if (!switch_off_find_server(policy->services, f, &match))
		return 0;
	return (uint8_t)((match.legacy_endpoint ? STORE_SERVER_LEGACY_ENDPOINT : 0) |
			 (match.by_address ? STORE_SERVER_BY_RANGE : 0));
}

uint8_t
judge_client(void *arg, const struct finding *findings, size_t count, struct store_judgement *out,
    struct buf *reason)
{
	const struct policy *policy = arg;
	enum verdict few[32];
	enum verdict *verdicts = count <= 32 ? few : xcalloc(count, sizeof(*verdicts));
	enum verdict worst;

	policy_judge(policy, findings, count, verdicts);
	worst = policy_judge_client(policy, findings, verdicts, count, reason);
	for (size_t i = 0; i < count; i++)
		out[i] = (struct store_judgement){
			.rank = (uint8_t)verdicts[i],
			.server = server_flags(policy, &findings[i]),
		};
	if (verdicts != few)
		free(verdicts);
	return (uint8_t)worst;
}
