/*
 * dns_internal - the pieces of a message in the format of DNS, which NBNS shares.
 *
 * Source: RFC 1035, section 4.1.
 */
#ifndef TLSTALLY_NAMES_DNS_INTERNAL_H
#define TLSTALLY_NAMES_DNS_INTERNAL_H

#include "names/dns.h"

#define DNS_HEADER_LEN 12

#define DNS_TYPE_A 1
#define DNS_TYPE_CNAME 5
#define DNS_TYPE_AAAA 28
#define DNS_CLASS_IN 1
#define DNS_RECORDS_MAX 64 /* that are looked at in one message */
/*
 * Steps from label to label, and along pointers, in one message: honest names have a few each, but
 * pointers can lead through the same hundred labels again and again.
 */
#define DNS_STEPS_MAX 1024

struct dns_message {
	struct span bytes; /* from the header on: compression pointers count from here */
	size_t at;         /* what is read next */
	unsigned steps;    /* taken so far */
	uint16_t flags;
	uint16_t question_count, answer_count, authority_count, additional_count;
};

struct dns_record {
	bool owned_by_question; /* its owner is written as a pointer to the first question's name */
	struct dns_name owner;  /* else: this name; see dns_read_record */
	uint16_t type, class;
	uint32_t ttl;
	size_t data_at;   /* in the message: a name in it may be compressed */
	struct span data; /* whole */
};

bool dns_message_begin(struct span bytes, struct dns_message *out);
/*
 * `out` is empty for the root, and for a name with a dot inside a label: services have such (RFC
 * 6763, section 4.1.1), hosts do not.
 */
bool dns_read_name(struct dns_message *m, struct dns_name *out);
bool dns_read_question(struct dns_message *m, struct dns_name *name, uint16_t *type);
/* Any record, its owner in full. */
bool dns_read_record(struct dns_message *m, struct dns_record *out);
/*
 * For a message whose question was read: where the owner is a pointer to the question's name, as in
 * nearly every answer, owned_by_question is set and `owner` is not written.
 */
bool dns_read_answer(struct dns_message *m, struct dns_record *out);
/* True for an A or AAAA record of the Internet, as long as its kind of address. */
bool dns_record_address(const struct dns_record *record, struct addr *out);

static inline unsigned
dns_opcode(const struct dns_message *m)
{
	return m->flags >> 11 & 15;
}

static inline bool
dns_is_response(const struct dns_message *m)
{
	return (m->flags & 0x8000) != 0;
}

static inline unsigned
dns_rcode(const struct dns_message *m)
{
	return m->flags & 15;
}

#endif
