/*
 * Subject and notAfter of the plain kind: names of the usual attributes in ASCII, and times as RFC
 * 5280 has them.
 *
 * Source: RFC 5280, section 4.1.2.4 to 4.1.2.6 and appendix A.1 (attributes); RFC 4514, section 2
 * (the text).
 *
 * libcrypto takes longer to load than many a small capture takes to be read; for what is plain it
 * does not have to be there.  Both ways give the same, which a test compares.
 */
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "tls/certificate_internal.h"

#include "base/banned.h"

#define ATTRIBUTES_MAX 16
#define YEAR_MIN 1950
#define COMMON_NAME 3

struct attribute {
	uint8_t type; /* the last byte of id-at, 2.5.4.x */
	struct span value;
};

static const char *
name_of_type(uint8_t type)
{
	switch (type) {
	case COMMON_NAME:
		return "CN=";
	case 6:
		return "C=";
	case 7:
		return "L=";
	case 8:
		return "ST=";
	case 10:
		return "O=";
	case 11:
		return "OU=";
	default:
		return NULL;
	}
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Of a byte 0 has no place in a name, nor has what libcrypto would escape, but for the comma. */
static bool
is_plain_byte(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr(" '()*,-./:@_", c) != NULL);
}

static bool
is_plain_text(struct span text)
{
	if (text.len == 0 || text.data[0] == ' ' || text.data[text.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_plain_byte(text.data[i]))
			return false;
	}
	return true;
}

static bool
read_attribute(struct span *sets, struct attribute *out)
{
	struct span set, pair, oid;
	uint8_t tag;

	if (!certificate_read_element(sets, DER_SET, &set, NULL) ||
	    !certificate_read_element(&set, DER_SEQUENCE, &pair, NULL) || !span_is_empty(set) ||
	    !certificate_read_element(&pair, DER_OID, &oid, NULL) ||
	    !certificate_read_any(&pair, &tag, &out->value, NULL) || !span_is_empty(pair))
		return false;
	if (oid.len != 3 || oid.data[0] != 0x55 || oid.data[1] != 0x04)
		return false;
	out->type = oid.data[2];
	return name_of_type(out->type) != NULL &&
	       (tag == DER_PRINTABLE_STRING || tag == DER_UTF8_STRING || tag == DER_IA5_STRING) &&
	       is_plain_text(out->value);
}

/* False: there is no room for it. */
static bool
add_attribute(const struct attribute *a, char *out, size_t room, size_t *len)
{
	const char *name = name_of_type(a->type);
	size_t name_len = strlen(name), at = *len;

	/* A comma in front, each byte escaped, and the NUL. */
	if (room - at < 1 + name_len + 2 * a->value.len + 1)
		return false;
	if (at > 0)
		out[at++] = ',';
	memcpy(out + at, name, name_len);
	at += name_len;
	for (size_t i = 0; i < a->value.len; i++) {
		if (a->value.data[i] == ',')
			out[at++] = '\\';
		out[at++] = (char)a->value.data[i];
	}
	out[at] = '\0';
	*len = at;
	return true;
}

static bool
read_subject(const struct certificate_parts *parts, struct tls_certificate *out)
{
	struct attribute attributes[ATTRIBUTES_MAX];
	struct span subject = parts->subject, sets, common_name = { NULL, 0 };
	size_t count = 0, len = 0;

	if (!certificate_read_element(&subject, DER_SEQUENCE, &sets, NULL))
		return false;
	for (; !span_is_empty(sets); count++) {
		if (count == ATTRIBUTES_MAX || !read_attribute(&sets, &attributes[count]))
			return false;
		if (attributes[count].type == COMMON_NAME)
			common_name = attributes[count].value;
	}
	/* The last one first. */
	for (size_t i = count; i > 0; i--) {
		if (!add_attribute(&attributes[i - 1], out->subject, sizeof(out->subject), &len))
			return false;
	}
	/* It fits: it is a part of the subject. */
	if (parts->dns_name.data == NULL && common_name.data != NULL &&
	    certificate_is_host_name(common_name))
		memcpy(out->dns_name, common_name.data, common_name.len);
	return true;
}

/* Two digits at the front. */
static bool
read_number(struct span *s, int least, int most, int *out)
{
	uint8_t tens, ones;

	if (!span_read_u8(s, &tens) || !span_read_u8(s, &ones) || !is_digit(tens) ||
	    !is_digit(ones))
		return false;
	*out = 10 * (tens - '0') + (ones - '0');
	return *out >= least && *out <= most;
}

static bool
read_year(struct span *s, uint8_t tag, int *year)
{
	int century = 0, rest;

	if (tag == DER_GENERALIZED_TIME && !read_number(s, 0, 99, &century))
		return false;
	if (!read_number(s, 0, 99, &rest))
		return false;
	/* RFC 5280, section 4.1.2.5.1. */
	if (tag == DER_UTC_TIME)
		century = rest < 50 ? 20 : 19;
	*year = 100 * century + rest;
	return *year >= YEAR_MIN;
}

static int
days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool
read_not_after(struct span element, struct tls_certificate *out)
{
	struct tm tm = { 0 };
	struct span time;
	int year, month;
	uint8_t tag, zone;

	if (!certificate_read_any(&element, &tag, &time, NULL) ||
	    (tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME) || !read_year(&time, tag, &year) ||
	    !read_number(&time, 1, 12, &month) ||
	    !read_number(&time, 1, days_of(year, month), &tm.tm_mday) ||
	    !read_number(&time, 0, 23, &tm.tm_hour) || !read_number(&time, 0, 59, &tm.tm_min) ||
	    !read_number(&time, 0, 59, &tm.tm_sec) || !span_read_u8(&time, &zone) || zone != 'Z' ||
	    !span_is_empty(time))
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	out->not_after_us = timestamp_from_tm(&tm);
	out->has_not_after = true;
	return true;
}

bool
certificate_read_plain(const struct certificate_parts *parts, struct tls_certificate *out)
{
	if (read_subject(parts, out) && read_not_after(parts->not_after, out))
		return true;
	*out = (struct tls_certificate){ 0 };
	return false;
}
