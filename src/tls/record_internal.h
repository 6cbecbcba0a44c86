/*
 * record_internal - what the files that read records share: SSLv2 records are read by the same
 * stream as the others.
 */
#ifndef TLSTALLY_TLS_RECORD_INTERNAL_H
#define TLSTALLY_TLS_RECORD_INTERNAL_H

#include "tls/record_stream.h"

/* True when a record whose first byte is `first` is to be read as an SSLv2 one here. */
bool tls_ssl2_is_expected(const struct tls_record_stream *s, uint8_t first);
/* Takes header bytes; returns how many. */
size_t tls_ssl2_take_header(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg);
/* Bytes of a record that is as short as an error. */
void tls_ssl2_take_error(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg);
/* record_stream.c: the body of a hello. */
void tls_ssl2_take_body(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg);

/* message_room.c: keeps these bytes of the message too, as far as they may be. */
void tls_message_keep(struct tls_record_stream *s, struct span bytes);

#endif
