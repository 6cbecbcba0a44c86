#include "tls/certificate_internal.h"

#include "base/banned.h"

#define HOST_NAME_LEN_MAX 253 /* RFC 1035, section 2.3.4 */

#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTET_STRING 0x04
#define DER_BOOLEAN 0x01
#define DER_T61_STRING 0x14
#define DER_VERSION 0xa0    /* [0] EXPLICIT */
#define DER_EXTENSIONS 0xa3 /* [3] EXPLICIT */
#define DER_DNS_NAME 0x82   /* [2] IMPLICIT IA5String */

/* X.690, section 8.1.3: up to 127 in one byte, else the count of the bytes that follow. */
static bool
read_length(struct span *s, size_t *len)
{
	uint8_t first, byte;

	if (!span_read_u8(s, &first))
		return false;
	*len = first;
	if (first < 0x80)
		return true;
	/* Three bytes hold more than any message does; 0x80 is BER's open end, not DER. */
	if (first < 0x81 || first > 0x83)
		return false;
	*len = 0;
	for (unsigned i = 0; i < first - 0x80U; i++) {
		if (!span_read_u8(s, &byte))
			return false;
		*len = *len << 8 | byte;
	}
	return true;
}

bool
certificate_read_any(struct span *s, uint8_t *tag, struct span *content, struct span *whole)
{
	struct span copy = *s;
	size_t len;

	if (!span_read_u8(&copy, tag) || !read_length(&copy, &len) ||
	    !span_read_span(&copy, len, content))
		return false;
	if (whole != NULL)
		*whole = span_first(*s, s->len - copy.len);
	*s = copy;
	return true;
}

bool
certificate_read_element(struct span *s, uint8_t expected, struct span *content, struct span *whole)
{
	struct span copy = *s;
	uint8_t tag;

	if (!certificate_read_any(&copy, &tag, content, whole) || tag != expected)
		return false;
	*s = copy;
	return true;
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_host_byte(uint8_t c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/*
 * RFC 6125, section 6.4.3: a wildcard stands for many names and is none.  A name without a dot, or
 * the one of a system's default certificate, would be that of many servers; one that ends in a
 * digit is an address.
 */
bool
certificate_is_host_name(struct span name)
{
	static const char *const defaults[] = { "localhost.localdomain", "localhost.localhost" };
	bool dot = false;

	for (size_t i = 0; i < name.len; i++) {
		bool at_edge = i == 0 || i + 1 == name.len || name.data[i - 1] == '.';

		if (name.data[i] == '.' && !at_edge)
			dot = true;
		else if (!is_host_byte(name.data[i]))
			return false;
	}
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		if (span_equals(name, span_from_text(defaults[i])))
			return false;
	}
	return dot && name.len <= HOST_NAME_LEN_MAX && is_letter(name.data[name.len - 1]);
}

/* RFC 5280, section 4.2.1.6. */
static void
read_alternative_names(struct span value, struct certificate_parts *out)
{
	struct span names, name;
	uint8_t tag;

	if (!certificate_read_element(&value, DER_SEQUENCE, &names, NULL))
		return;
	while (certificate_read_any(&names, &tag, &name, NULL)) {
		if (tag == DER_DNS_NAME && certificate_is_host_name(name)) {
			out->dns_name = name;
			return;
		}
	}
}

/* RFC 5280, section 4.1.2.9. */
static void
read_extensions(struct span list, struct certificate_parts *out)
{
	static const uint8_t alternative_name[] = { 0x55, 0x1d, 0x11 }; /* 2.5.29.17 */
	struct span extension, oid, ignored, value;

	while (certificate_read_element(&list, DER_SEQUENCE, &extension, NULL)) {
		if (!certificate_read_element(&extension, DER_OID, &oid, NULL))
			return;
		if (!span_equals(oid, span_from(alternative_name, sizeof(alternative_name))))
			continue;
		(void)!certificate_read_element(
		    &extension, DER_BOOLEAN, &ignored, NULL); /* critical */
		if (certificate_read_element(&extension, DER_OCTET_STRING, &value, NULL))
			read_alternative_names(value, out);
		return;
	}
}

/* RFC 5280, section 4.1: TBSCertificate. */
static bool
read_to_be_signed(struct span s, struct certificate_parts *out)
{
	struct span ignored, validity, block, list;
	uint8_t tag;

	(void)!certificate_read_element(&s, DER_VERSION, &ignored, NULL);
	if (!certificate_read_element(&s, DER_INTEGER, &ignored, NULL) ||        /* serialNumber */
	    !certificate_read_element(&s, DER_SEQUENCE, &ignored, NULL) ||       /* signature */
	    !certificate_read_element(&s, DER_SEQUENCE, &ignored, NULL) ||       /* issuer */
	    !certificate_read_element(&s, DER_SEQUENCE, &validity, NULL) ||      /* validity */
	    !certificate_read_any(&validity, &tag, &ignored, NULL) ||            /* notBefore */
	    !certificate_read_any(&validity, &tag, &ignored, &out->not_after) || /* notAfter */
	    !certificate_read_element(&s, DER_SEQUENCE, &ignored, &out->subject) || /* subject */
	    !certificate_read_element(&s, DER_SEQUENCE, &ignored, NULL)) /* subjectPublicKeyInfo */
		return false;
	while (certificate_read_any(&s, &tag, &block, NULL)) {
		if (tag == DER_EXTENSIONS &&
		    certificate_read_element(&block, DER_SEQUENCE, &list, NULL))
			read_extensions(list, out);
	}
	return span_is_empty(s);
}

bool
certificate_find_parts(struct span der, struct certificate_parts *out)
{
	struct span certificate, to_be_signed, ignored;

	*out = (struct certificate_parts){ 0 };
	return certificate_read_element(&der, DER_SEQUENCE, &certificate, NULL) &&
	       span_is_empty(der) &&
	       certificate_read_element(&certificate, DER_SEQUENCE, &to_be_signed, NULL) &&
	       certificate_read_element(
		   &certificate, DER_SEQUENCE, &ignored, NULL) && /* signatureAlgorithm */
	       certificate_read_element(
		   &certificate, DER_BIT_STRING, &ignored, NULL) && /* signatureValue */
	       span_is_empty(certificate) &&
	       read_to_be_signed(to_be_signed, out);
}

void
certificate_loosen_name(uint8_t *name, size_t len)
{
	struct span s = span_from(name, len), sets, set, pair, ignored, whole;

	if (!certificate_read_element(&s, DER_SEQUENCE, &sets, NULL))
		return;
	while (certificate_read_element(&sets, DER_SET, &set, NULL)) {
		while (certificate_read_element(&set, DER_SEQUENCE, &pair, NULL)) {
			if (certificate_read_element(&pair, DER_OID, &ignored, NULL) &&
			    certificate_read_element(&pair, DER_UTF8_STRING, &ignored, &whole))
				name[whole.data - name] = DER_T61_STRING;
		}
	}
}
