#include "tls/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/library.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "tls/certificate_internal.h"

#include "base/banned.h"

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#define CRYPTO_LIBRARY "libcrypto.so.3"
#else
#define CRYPTO_LIBRARY "libcrypto.so.1.1"
#endif
#define CRYPTO_FUNCTIONS(f)                                                                        \
	f(ASN1_STRING_to_UTF8) f(ASN1_TIME_free) f(ASN1_TIME_to_tm) f(BIO_ctrl) f(BIO_free)        \
	    f(BIO_new) f(BIO_s_mem) f(CRYPTO_free) f(CRYPTO_set_mem_functions) f(ERR_clear_error)  \
		f(OPENSSL_init_crypto) f(X509_NAME_ENTRY_get_data) f(X509_NAME_free)               \
		    f(X509_NAME_get_entry) f(X509_NAME_get_index_by_NID) f(X509_NAME_print_ex)     \
			f(d2i_ASN1_TIME) f(d2i_X509_NAME)

struct crypto_library {
	CRYPTO_FUNCTIONS(LIBRARY_POINTER)
};

LIBRARY_NAMES(crypto_library, CRYPTO_FUNCTIONS);

static struct crypto_library lib;
static struct error missing; /* why libcrypto could not be loaded; "": it is there */

/* A larger certificate is not worth the time to decode it for its name. */
#define DER_MAX 65536

/*
 * RFC 4514, section 2.3, with UTF-8 as it is.  Escapes of the control characters are from here;
 * those of the C1 range, and of bytes that are no UTF-8, are put in by copy_text.
 */
#define NAME_FLAGS (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

/* A longer subject whose UTF8Strings are no UTF-8 is left out. */
#define LOOSE_NAME_MAX 1024

/* A text under construction, of limited room: what does not fit whole ends it. */
struct text {
	char *out;
	size_t len, room; /* the room has a place for the NUL */
};

static bool
text_add(struct text *t, const void *data, size_t len)
{
	if (len >= t->room - t->len)
		return false;
	memcpy(t->out + t->len, data, len);
	t->len += len;
	t->out[t->len] = '\0';
	return true;
}

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* Length of the escape at the front, 0 where there is none: RFC 4514, section 3, `pair`. */
static size_t
escape_len(struct span s)
{
	if (s.len < 2 || s.data[0] != '\\' || s.data[1] >= 0x80)
		return 0;
	return s.len >= 3 && is_hex(s.data[1]) && is_hex(s.data[2]) ? 3 : 2;
}

/* Adds one byte as RFC 4514 escapes it. */
static bool
text_add_escaped(struct text *t, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";
	const char escape[3] = { '\\', digits[byte >> 4], digits[byte & 15] };

	return text_add(t, escape, sizeof(escape));
}

/*
 * Copies the text of a certificate: UTF-8 as it is, anything else escaped, and cut at a character
 * where it is too long.  `escapes`: it has escapes already, which are not to be cut either.
 */
static void
copy_text(struct span text, bool escapes, char *out, size_t room)
{
	struct text t = { .out = out, .room = room };
	bool fits = true;

	out[0] = '\0';
	while (fits && !span_is_empty(text)) {
		size_t len = escapes ? escape_len(text) : 0;
		uint8_t first = text.data[0];
		uint32_t code_point;

		if (len == 0)
			len = text_utf8_char(text, &code_point);
		if (len == 0) {
			fits = text_add_escaped(&t, first);
			len = 1;
		} else if (len == 1 && (first < 0x20 || first == 0x7f)) {
			fits = text_add_escaped(&t, first);
		} else if (len == 2 && first == 0xc2 && text.data[1] < 0xa0) {
			/* A C1 control, which terminals obey: both bytes or none. */
			fits = t.len + 6 < t.room && text_add_escaped(&t, first) &&
			       text_add_escaped(&t, text.data[1]);
		} else {
			fits = text_add(&t, text.data, len);
		}
		text = span_from(text.data + len, text.len - len);
	}
}

static X509_NAME *
decode_name(struct span der)
{
	const unsigned char *at = der.data;

	return lib.d2i_X509_NAME(NULL, &at, (long)der.len);
}

/*
 * Decodes a certificate's subject, and sets `flags` to how it is to be printed.  The caller frees
 * it with X509_NAME_free; NULL: libcrypto refuses the name even with its strings loosened.
 */
static X509_NAME *
decode_subject(struct span der, unsigned long *flags)
{
	uint8_t loose[LOOSE_NAME_MAX];
	X509_NAME *name = decode_name(der);

	*flags = NAME_FLAGS;
	if (name != NULL || der.len > sizeof(loose))
		return name;
	memcpy(loose, der.data, der.len);
	certificate_loosen_name(loose, der.len);
	*flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_UTF8_CONVERT;
	return decode_name(span_from(loose, der.len));
}

static void
read_subject(const X509_NAME *name, unsigned long flags, struct tls_certificate *out)
{
	BIO *bio = lib.BIO_new(lib.BIO_s_mem());
	char *text;
	long len;

	if (bio == NULL)
		return;
	if (lib.X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
		len = lib.BIO_ctrl(bio, BIO_CTRL_INFO, 0, &text);
		if (len > 0)
			copy_text(
			    span_from(text, (size_t)len), true, out->subject, sizeof(out->subject));
	}
	lib.BIO_free(bio);
}

/* RFC 6125, section 6.4.4: the most specific common name, which is the last. */
static void
read_common_name(const X509_NAME *name, struct tls_certificate *out)
{
	unsigned char *text = NULL;
	int last = -1, len;

	for (int i = lib.X509_NAME_get_index_by_NID(name, NID_commonName, -1); i >= 0;
	     i = lib.X509_NAME_get_index_by_NID(name, NID_commonName, i))
		last = i;
	if (last < 0)
		return;
	len = lib.ASN1_STRING_to_UTF8(
	    &text, lib.X509_NAME_ENTRY_get_data(lib.X509_NAME_get_entry(name, last)));
	if (len > 0 && certificate_is_host_name(span_from(text, (size_t)len)))
		copy_text(
		    span_from(text, (size_t)len), false, out->dns_name, sizeof(out->dns_name));
	lib.CRYPTO_free(text, __FILE__, __LINE__);
}

static void
read_not_after(struct span der, struct tls_certificate *out)
{
	const unsigned char *at = der.data;
	ASN1_TIME *time = lib.d2i_ASN1_TIME(NULL, &at, (long)der.len);
	struct tm tm;

	/* ASN1_TIME_to_tm takes a missing time for the present one. */
	if (time != NULL && lib.ASN1_TIME_to_tm(time, &tm) == 1) {
		out->not_after_us = timestamp_from_tm(&tm);
		out->has_not_after = true;
	}
	lib.ASN1_TIME_free(time);
}

bool
tls_certificate_message_leaf(struct span body, struct span *der)
{
	uint32_t list_len;
	struct span first;

	/* RFC 5246, section 7.4.2: the sender's own comes first; the others may be cut off. */
	if (!span_read_u24(&body, &list_len))
		return false;
	body = span_first(body, list_len);
	if (!span_read_vec24(&body, &first) || span_is_empty(first))
		return false;
	*der = first;
	return true;
}

static void *
take_memory(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return len != 0 ? xmalloc(len) : NULL;
}

static void
give_memory_back(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

static void *
resize_memory(void *memory, size_t len, const char *file, int line)
{
	if (len != 0)
		return xreallocarray(memory, len, 1);
	give_memory_back(memory, file, line);
	return NULL;
}

/*
 * Loads libcrypto and sets it up, once.
 *
 * It gets our functions for memory, because without memory it would call a good certificate bad,
 * and the event would lack a name.  It does not read the machine's openssl.cnf, nor its own texts
 * for errors: names need neither, and both would be read between two packets.
 */
static void
load_library(void)
{
	if (LIBRARY_LOAD(CRYPTO_LIBRARY, crypto_library, &lib, &missing) != 0) {
		log_error(
		    "certificates of an unusual kind cannot be read, and count as bad ones: %s",
		    missing.text);
		return;
	}
	(void)lib.CRYPTO_set_mem_functions(take_memory, resize_memory, give_memory_back);
	(void)lib.OPENSSL_init_crypto(
	    OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
}

bool
tls_certificate_prepare(void)
{
	static pthread_once_t begun = PTHREAD_ONCE_INIT;

	(void)pthread_once(&begun, load_library);
	return missing.text[0] == '\0';
}

bool
certificate_read_by_library(const struct certificate_parts *parts, struct tls_certificate *out)
{
	X509_NAME *subject;
	unsigned long flags;

	if (!tls_certificate_prepare())
		return false;
	subject = decode_subject(parts->subject, &flags);
	if (subject != NULL)
		read_subject(subject, flags, out);
	read_not_after(parts->not_after, out);
	if (subject != NULL && parts->dns_name.data == NULL)
		read_common_name(subject, out);
	lib.X509_NAME_free(subject);
	lib.ERR_clear_error();
	return true;
}

bool
tls_certificate_parse(struct span der, struct tls_certificate *out)
{
	struct certificate_parts parts;

	*out = (struct tls_certificate){ 0 };
	if (der.len > DER_MAX || !certificate_find_parts(der, &parts))
		return false;
	if (!certificate_read_plain(&parts, out) && !certificate_read_by_library(&parts, out))
		return false;
	if (parts.dns_name.data != NULL)
		copy_text(parts.dns_name, false, out->dns_name, sizeof(out->dns_name));
	return true;
}
