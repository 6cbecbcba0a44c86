/*
 * record_internal - what the files that read records share: SSLv2 records are read by the same
 * stream as the others.
 */
#ifndef TLSTALLY_TLS_RECORD_INTERNAL_H
#define TLSTALLY_TLS_RECORD_INTERNAL_H

#include "tls/record_stream.h"

#define TLS_MESSAGE_HEADER_LEN 4
/* Of a message with certificates: the length of all, and that of the first. */
#define TLS_CHAIN_HEADER_LEN 6

/* ssl2_record.c */
/* True when a record whose first byte is `first` is to be read as an SSLv2 one here. */
bool tls_ssl2_is_expected(const struct tls_record_stream *s, uint8_t first);
/* Takes header bytes; returns how many. */
size_t tls_ssl2_take_header(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg);
/* Bytes of a record that is as short as an error. */
void tls_ssl2_take_error(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg);
/* record_messages.c */
/* Bytes of a handshake record, from `offset` on; `mark` is of its segment's first byte. */
void tls_messages_take(struct tls_record_stream *s, struct span bytes, const struct mark *mark,
    int64_t offset, const struct tls_record_sink *sink, void *arg);
/* The body of a hello in SSLv2 format. */
void tls_ssl2_take_body(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg);
/* What comes next is missing: hands out, or tells, what had begun. */
void tls_messages_gap(struct tls_record_stream *s, const struct tls_record_sink *sink, void *arg);

/* message_room.c: keeps these bytes of the message too, as far as they may be. */
void tls_message_keep(struct tls_record_stream *s, struct span bytes);

#endif
