/*
 * event_form - an event in the words of other programs, so that dashboards made for them take it.
 *
 * Each record has the fields that the other schema has a name for, and behind them, as one object
 * `tlstally`, our own record, which loses nothing.  A field whose value is not known is left out.
 * docs/schema/forms.schema.json describes the forms.
 *
 * Source: elastic/ecs schemas (8.11); Zeek ssl.log and packages ja3, ja4, community-id; Suricata
 *         EVE `tls`; Splunk CIM Network Traffic and Certificates.
 */
#ifndef TLSTALLY_EVENT_EVENT_FORM_H
#define TLSTALLY_EVENT_EVENT_FORM_H

#include "base/record_form.h"
#include "event/event.h"

/*
 * Appends a line.  `own`: our record, an object of JSON without a newline.  `form` is not
 * RECORD_FORM_TLSTALLY, which is `own` itself.
 */
void event_form_write(enum record_form form, const struct event *ev, const char *sensor,
    struct span own, struct buf *out);

/*
 * Appends a line about no single event (the coverage in front of an export), which those who read
 * for events pass over.  `kind` is the name of what `own` is.
 */
void event_form_write_other(enum record_form form, const char *kind, int64_t time_us,
    const char *sensor, struct span own, struct buf *out);

#endif
