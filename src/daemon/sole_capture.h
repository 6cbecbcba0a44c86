/*
 * sole_capture - whether another daemon counts the same packets under the same name already.
 *
 * A socket in Linux's abstract namespace is what they tell each other by: it belongs to the network
 * namespace as interfaces do, leaves no file, and is gone with its process, however that ends.
 *
 * Source: unix(7).
 */
#ifndef TLSTALLY_DAEMON_SOLE_CAPTURE_H
#define TLSTALLY_DAEMON_SOLE_CAPTURE_H

/*
 * `database`: the name of a file that is there.  Returns a descriptor, to be kept open as long as
 * the capture goes on; -1 with errno, which is EADDRINUSE where there is such a daemon.
 */
int sole_capture_claim(const char *database, const char *sensor, const char *interface);

#endif
