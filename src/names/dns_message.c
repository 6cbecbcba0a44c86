#include <string.h>

#include "names/dns_internal.h"

#include "base/banned.h"

/* Honest names need one or two.  Each leads backwards, so that a name ends. */
#define POINTERS_MAX 16

#define POINTER 0xc0
#define LABEL_MAX 63

bool
dns_message_begin(struct span bytes, struct dns_message *out)
{
	struct span rest = bytes;
	uint16_t id;

	*out = (struct dns_message){ .bytes = bytes };
	if (!span_read_u16(&rest, &id) || !span_read_u16(&rest, &out->flags) ||
	    !span_read_u16(&rest, &out->question_count) ||
	    !span_read_u16(&rest, &out->answer_count) ||
	    !span_read_u16(&rest, &out->authority_count) ||
	    !span_read_u16(&rest, &out->additional_count))
		return false;
	out->at = bytes.len - rest.len;
	return true;
}

static char
lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* False for a name that is too long, and for one that would read like another. */
static bool
add_label(struct dns_name *name, struct span label)
{
	size_t dot = name->len > 0;

	if (label.len + dot > (size_t)DNS_NAME_MAX - name->len)
		return false;
	if (dot)
		name->text[name->len++] = '.';
	for (size_t i = 0; i < label.len; i++) {
		if (label.data[i] == '.')
			return false;
		name->text[name->len++] = lower(label.data[i]);
	}
	return true;
}

/* RFC 1035, section 4.1.4: a pointer leads to a prior occurrence of the name's rest. */
bool
dns_read_name(struct dns_message *m, struct dns_name *out)
{
	struct span rest, label;
	size_t at = m->at;
	unsigned pointers = 0;
	uint8_t len, low;

	out->len = 0;
	for (;;) {
		if (at >= m->bytes.len)
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
	}
	if (pointers == 0)
		m->at = at;
	return true;
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

	if (!span_read_u16(&rest, &out->type) || !span_read_u16(&rest, &out->class) ||
	    !span_read_u32(&rest, &out->ttl) || !span_read_vec16(&rest, &out->data))
		return false;
	m->at = m->bytes.len - rest.len;
	out->data_at = m->at - out->data.len;
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
