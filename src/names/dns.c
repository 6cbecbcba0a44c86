#include "names/dns.h"

#include <string.h>

#include "names/dns_internal.h"

#include "base/banned.h"

/* Names between the question and its addresses; resolvers give up at about as many. */
#define CHAIN_MAX 12

struct chain {
	struct dns_name names[CHAIN_MAX + 1]; /* the question's first */
	size_t count;
};

static bool
names_equal(const struct dns_name *a, const struct dns_name *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool
chain_has(const struct chain *chain, const struct dns_name *name)
{
	for (size_t i = 0; i < chain->count; i++) {
		if (names_equal(&chain->names[i], name))
			return true;
	}
	return false;
}

static bool
chain_has_owner(const struct chain *chain, const struct dns_record *record)
{
	return record->owned_by_question || chain_has(chain, &record->owner);
}

static bool
chain_ends_with_owner(const struct chain *chain, const struct dns_record *record)
{
	if (record->owned_by_question)
		return chain->count == 1;
	return names_equal(&chain->names[chain->count - 1], &record->owner);
}

/* What a message answers; each owner is read once, as a sender can make that take long. */
struct answers {
	struct dns_record records[DNS_RECORDS_MAX];
	size_t count;
};

static void
read_answers(struct dns_message m, struct answers *out)
{
	size_t max = m.answer_count < DNS_RECORDS_MAX ? m.answer_count : DNS_RECORDS_MAX;

	out->count = 0;
	while (out->count < max && dns_read_answer(&m, &out->records[out->count]))
		out->count++;
}

/* Adds the target of one more CNAME of a name in the chain.  False: there is none. */
static bool
chain_grow(struct chain *chain, struct dns_message m, const struct answers *answers)
{
	struct dns_name *next = &chain->names[chain->count];

	for (size_t i = 0; i < answers->count; i++) {
		const struct dns_record *record = &answers->records[i];

		if (record->type != DNS_TYPE_CNAME || record->class != DNS_CLASS_IN ||
		    !chain_ends_with_owner(chain, record))
			continue;
		m.at = record->data_at;
		if (!dns_read_name(&m, next) || next->len == 0 || chain_has(chain, next))
			return false;
		chain->count++;
		return true;
	}
	return false;
}

static void
add_address(struct dns_addresses *out, const struct addr *addr, uint32_t ttl)
{
	if (out->count < DNS_ADDRS_MAX)
		out->items[out->count++] = (struct dns_address){ *addr, ttl };
}

/*
 * The addresses of a message that has nothing but addresses of the question's name.  False: it has
 * something else as well.
 */
static bool
add_direct(struct dns_message m, struct dns_addresses *out)
{
	struct dns_record record;
	struct addr addr;

	for (unsigned i = 0; i < m.answer_count && i < DNS_RECORDS_MAX; i++) {
		if (!dns_read_answer(&m, &record))
			break;
		if (!record.owned_by_question || record.type == DNS_TYPE_CNAME)
			return false;
		if (dns_record_address(&record, &addr))
			add_address(out, &addr, record.ttl);
	}
	return true;
}

static __attribute__((noinline)) void
add_by_chain(struct dns_message m, struct dns_addresses *out)
{
	struct answers answers;
	struct chain chain;
	struct addr addr;

	read_answers(m, &answers);
	chain.names[0] = out->name;
	chain.count = 1;
	while (chain.count <= CHAIN_MAX && chain_grow(&chain, m, &answers))
		;
	for (size_t i = 0; i < answers.count; i++) {
		const struct dns_record *record = &answers.records[i];

		if (dns_record_address(record, &addr) && chain_has_owner(&chain, record))
			add_address(out, &addr, record->ttl);
	}
}

bool
dns_answer_parse(struct span message, struct dns_addresses *out)
{
	struct dns_message m;
	uint16_t type;

	out->count = 0;
	if (!dns_message_begin(message, &m) || !dns_is_response(&m) || dns_opcode(&m) != 0 ||
	    dns_rcode(&m) != 0 || m.question_count != 1 || m.answer_count == 0 ||
	    !dns_read_question(&m, &out->name, &type) || out->name.len == 0)
		return false;
	if (!add_direct(m, out)) {
		out->count = 0;
		add_by_chain(m, out);
	}
	return out->count > 0;
}

bool
dns_announcement_parse(struct span message, struct dns_addresses *out)
{
	struct dns_message m;
	struct dns_record record;
	struct dns_name question;
	struct addr addr;
	uint16_t type;
	unsigned count;

	out->count = 0;
	if (!dns_message_begin(message, &m) || !dns_is_response(&m) || dns_opcode(&m) != 0 ||
	    dns_rcode(&m) != 0)
		return false;
	for (unsigned i = 0; i < m.question_count && i < DNS_RECORDS_MAX; i++) {
		if (!dns_read_question(&m, &question, &type))
			return false;
	}
	/* RFC 6763, section 12: a service's host comes as an additional record. */
	count = (unsigned)m.answer_count + m.authority_count + m.additional_count;
	for (unsigned i = 0; i < count && i < DNS_RECORDS_MAX; i++) {
		if (!dns_read_record(&m, &record))
			break;
		/* RFC 6762, section 10.1: a TTL of zero says goodbye. */
		if (!dns_record_address(&record, &addr) || record.ttl == 0 || record.owner.len == 0)
			continue;
		if (out->count == 0)
			out->name = record.owner;
		if (names_equal(&out->name, &record.owner))
			add_address(out, &addr, record.ttl);
	}
	return out->count > 0;
}
