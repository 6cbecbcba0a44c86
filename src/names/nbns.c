#include "names/nbns.h"

#include <string.h>

#include "names/dns_internal.h"

#include "base/banned.h"

/* RFC 1002, section 4.2.1. */
#define TYPE_NB 0x0020
#define OPCODE_QUERY 0
#define OPCODE_REGISTRATION 5
#define OPCODE_REFRESH 8
#define OPCODE_REFRESH_ALT 9
#define OPCODE_MULTIHOMED 15 /* [MS-NBTE]: what Windows sends to a WINS server */
#define FLAG_GROUP 0x8000
#define ENCODED_LEN 32

/* The name's last byte says what answers to it: the host as such, or its file service. */
#define SUFFIX_HOST 0x00
#define SUFFIX_FILE_SERVICE 0x20

/* RFC 1001, section 14.1: each half of a byte as a letter from A; here in lower case. */
static bool
decode(const struct dns_name *encoded, struct nbns_claim *out)
{
	uint8_t bytes[ENCODED_LEN / 2];

	/* A scope may follow behind a dot. */
	if (encoded->len < ENCODED_LEN ||
	    (encoded->len > ENCODED_LEN && encoded->text[ENCODED_LEN] != '.'))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		unsigned high = (unsigned)(uint8_t)encoded->text[2 * i] - 'a';
		unsigned low = (unsigned)(uint8_t)encoded->text[2 * i + 1] - 'a';

		if (high > 15 || low > 15)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (bytes[NBNS_NAME_MAX] != SUFFIX_HOST && bytes[NBNS_NAME_MAX] != SUFFIX_FILE_SERVICE)
		return false;
	out->name_len = NBNS_NAME_MAX;
	while (out->name_len > 0 &&
	       (bytes[out->name_len - 1] == ' ' || bytes[out->name_len - 1] == '\0'))
		out->name_len--;
	memcpy(out->name, bytes, out->name_len);
	return out->name_len > 0;
}

/* RFC 1002, section 4.2.2: flags and address; of several addresses the first. */
static bool
take_record(const struct dns_record *record, struct nbns_claim *out)
{
	struct span data = record->data, addr;
	uint16_t flags;

	if (record->type != TYPE_NB || !span_read_u16(&data, &flags) || (flags & FLAG_GROUP) != 0 ||
	    !span_read_span(&data, 4, &addr))
		return false;
	addr_set_v4(&out->addr, addr.data);
	return decode(&record->owner, out);
}

static bool
is_claim(const struct dns_message *m)
{
	switch (dns_opcode(m)) {
	case OPCODE_QUERY:
		return dns_is_response(m);
	case OPCODE_REGISTRATION:
	case OPCODE_REFRESH:
	case OPCODE_REFRESH_ALT:
	case OPCODE_MULTIHOMED:
		return !dns_is_response(m);
	default:
		return false;
	}
}

bool
nbns_parse(struct span payload, struct nbns_claim *out)
{
	struct dns_message m;
	struct dns_name question;
	struct dns_record record;
	uint16_t type;

	memset(out, 0, sizeof(*out));
	if (!dns_message_begin(payload, &m) || !is_claim(&m) || dns_rcode(&m) != 0 ||
	    m.question_count > 1)
		return false;
	if (m.question_count == 1 && !dns_read_question(&m, &question, &type))
		return false;
	return dns_read_record(&m, &record) && take_record(&record, out);
}
