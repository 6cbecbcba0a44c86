#include <string.h>

#include "names/dns_internal.h"

#include "base/banned.h"

/* Honest names need one or two.  Each leads backwards, so that a name ends. */
#define POINTERS_MAX 16

#define POINTER 0xc0
#define LABEL_MAX 63
/* Of a record, behind its owner: type, class, TTL, the data's length. */
#define RECORD_HEADER_LEN 10

bool
dns_message_begin(struct span bytes, struct dns_message *out)
{
	if (bytes.len < DNS_HEADER_LEN)
		return false;
	*out = (struct dns_message){
		.bytes = bytes,
		.at = DNS_HEADER_LEN,
		.flags = bytes_u16(bytes.data + 2),
		.question_count = bytes_u16(bytes.data + 4),
		.answer_count = bytes_u16(bytes.data + 6),
		.authority_count = bytes_u16(bytes.data + 8),
		.additional_count = bytes_u16(bytes.data + 10),
	};
	return true;
}

static char
lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* False where the name is too long. */
static bool
add_label(struct dns_name *name, struct span label)
{
	size_t dot = name->len > 0;

	if (label.len + dot > (size_t)DNS_NAME_MAX - name->len)
		return false;
	if (dot)
		name->text[name->len++] = '.';
	for (size_t i = 0; i < label.len; i++)
		name->text[name->len++] = lower(label.data[i]);
	return true;
}

/* As text the name would read like another one. */
static bool
has_dot(struct span label)
{
	return label.len > 0 && memchr(label.data, '.', label.len) != NULL;
}

/* Each byte of a word is this one. */
#define ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

static uint64_t
word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Bytes of a word in lower case, without a carry from one to the next. */
static uint64_t
lower_word(uint64_t word)
{
	uint64_t low = word & ALL(0x7f);
	uint64_t upper = (low + ALL(0x80 - 'A')) & ~(low + ALL(0x7f - 'Z')) & ~word & ALL(0x80);

	return word | upper >> 2;
}

/* Not zero where there is one. */
static uint64_t
dots_in(uint64_t word)
{
	uint64_t others = word ^ ALL('.');

	return (others - ALL(1)) & ~others & ALL(0x80);
}

/* Copies in lower case.  False where one of the bytes is a dot. */
static bool
copy_lower(char *to, const uint8_t *from, size_t len)
{
	uint64_t word, dots = 0;

	for (size_t at = 0; at < len; at += sizeof(word)) {
		/* The last word begins among the ones before. */
		if (at > len - sizeof(word))
			at = len - sizeof(word);
		word = word_at(from + at);
		dots |= dots_in(word);
		word = lower_word(word);
		memcpy(to + at, &word, sizeof(word));
	}
	return dots == 0;
}

/*
 * The length of the labels from m->at on, each with its length in front; 0 where they do not end,
 * or hold a pointer.
 */
static size_t
plain_labels_len(const struct dns_message *m)
{
	const uint8_t *begin = m->bytes.data + m->at;
	size_t room = m->bytes.len - m->at, len = 0;

	while (len < room && begin[len] != 0) {
		if (begin[len] > LABEL_MAX)
			return 0;
		len += 1u + begin[len];
	}
	return len < room ? len : 0;
}

/*
 * Reads a name without a pointer, as nearly all are, by words, with dots in place of the lengths.
 * False, and nothing is read, for a name that has to be read label by label.
 */
static bool
read_plain_name(struct dns_message *m, struct dns_name *out)
{
	const uint8_t *begin = m->bytes.data + m->at;
	size_t labels_len = plain_labels_len(m);

	if (labels_len <= sizeof(uint64_t) || labels_len > DNS_NAME_MAX + 1 ||
	    !copy_lower(out->text, begin + 1, labels_len - 1))
		return false;
	out->len = (uint8_t)(labels_len - 1);
	for (size_t at = 1u + begin[0]; at < labels_len; at += 1u + begin[at])
		out->text[at - 1] = '.';
	m->at += labels_len + 1;
	return true;
}

/* RFC 1035, section 4.1.4: a pointer leads to a prior occurrence of the name's rest. */
static bool
read_any_name(struct dns_message *m, struct dns_name *out)
{
	struct span rest, label;
	size_t at = m->at;
	unsigned pointers = 0;
	uint8_t len, low;
	bool any_dot = false;

	out->len = 0;
	for (;;) {
		if (at >= m->bytes.len || ++m->steps > DNS_STEPS_MAX)
			return false;
		rest = span_from(m->bytes.data + at, m->bytes.len - at);
		if (!span_read_u8(&rest, &len))
			return false;
		if ((len & POINTER) == POINTER) {
			size_t target;

			if (!span_read_u8(&rest, &low))
				return false;
			target = (size_t)(len & ~POINTER) << 8 | low;
			if (pointers == 0)
				m->at = at + 2;
			if (target >= at || ++pointers > POINTERS_MAX)
				return false;
			at = target;
			continue;
		}
		if (len > LABEL_MAX || !span_read_span(&rest, len, &label))
			return false;
		at += 1u + len;
		if (len == 0)
			break;
		if (!add_label(out, label))
			return false;
		any_dot = any_dot || has_dot(label);
	}
	if (pointers == 0)
		m->at = at;
	if (any_dot)
		out->len = 0;
	return true;
}

bool
dns_read_name(struct dns_message *m, struct dns_name *out)
{
	return read_plain_name(m, out) || read_any_name(m, out);
}

static struct span
rest_of(const struct dns_message *m)
{
	return span_from(m->bytes.data + m->at, m->bytes.len - m->at);
}

/* RFC 1035, section 4.1.2. */
bool
dns_read_question(struct dns_message *m, struct dns_name *name, uint16_t *type)
{
	struct span rest;
	uint16_t class;

	if (!dns_read_name(m, name))
		return false;
	rest = rest_of(m);
	if (!span_read_u16(&rest, type) || !span_read_u16(&rest, &class))
		return false;
	m->at = m->bytes.len - rest.len;
	return true;
}

/* RFC 1035, section 4.1.3: what follows the owner. */
static bool
read_record_data(struct dns_message *m, struct dns_record *out)
{
	struct span rest = rest_of(m);
	const uint8_t *h = rest.data;

	if (!span_skip(&rest, RECORD_HEADER_LEN) ||
	    !span_read_span(&rest, bytes_u16(h + 8), &out->data))
		return false;
	out->type = bytes_u16(h);
	out->class = bytes_u16(h + 2);
	out->ttl = bytes_u32(h + 4);
	out->data_at = m->at + RECORD_HEADER_LEN;
	m->at = out->data_at + out->data.len;
	return true;
}

bool
dns_read_record(struct dns_message *m, struct dns_record *out)
{
	out->owned_by_question = false;
	return dns_read_name(m, &out->owner) && read_record_data(m, out);
}

bool
dns_read_answer(struct dns_message *m, struct dns_record *out)
{
	struct span rest = rest_of(m);
	uint16_t pointer;

	if (!span_read_u16(&rest, &pointer) || pointer != (POINTER << 8 | DNS_HEADER_LEN))
		return dns_read_record(m, out);
	out->owned_by_question = true;
	m->at += 2;
	return read_record_data(m, out);
}

bool
dns_record_address(const struct dns_record *record, struct addr *out)
{
	/* RFC 6762, section 10.2: mDNS uses the class's highest bit for something else. */
	if ((record->class & 0x7fff) != DNS_CLASS_IN)
		return false;
	if (record->type == DNS_TYPE_A && record->data.len == 4)
		addr_set_v4(out, record->data.data);
	else if (record->type == DNS_TYPE_AAAA && record->data.len == 16)
		addr_set_v6(out, record->data.data);
	else
		return false;
	return true;
}
