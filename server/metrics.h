/*
 * metrics.h - counters of the process, for `status` and later for the metrics service.
 *
 * Each is one atomic word; any thread adds. A row: name, unit, help.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS(X)                                                                             \
	X(accepted, "connections", "Connections accepted.")                                    \
	X(refused, "connections", "Connections refused by a limit.")                           \
	X(refused_rate, "connections", "Of these, from addresses that connect too often.")     \
	X(refused_user, "logins", "Good logins refused: the user has too many sessions.")      \
	X(sessions, "sessions", "Sessions open now.")                                          \
	X(session_faults, "sessions", "Sessions that ended by a fault.")                       \
	X(accept_pauses, "times", "Times a listener rested for want of descriptors.")          \
	X(tls_handshakes, "handshakes", "TLS handshakes done.")                                \
	X(tls_failures, "handshakes", "TLS handshakes that failed.")                           \
	X(logins, "logins", "Good logins.")                                                    \
	X(logins_failed, "logins", "Failed logins.")                                           \
	X(locks, "times", "Users locked after failed logins.")                                 \
	X(received, "messages", "Messages accepted.")                                          \
	X(received_bytes, "bytes", "Bytes of the messages accepted.")                          \
	X(collected, "messages", "Messages fetched from mailboxes elsewhere and stored.")      \
	X(collected_bytes, "bytes", "Bytes of the messages fetched.")                          \
	X(collections, "times", "Collections that ended, with or without a message.")          \
	X(collect_failures, "times", "Of these, such that could not be finished.")             \
	X(rejected, "recipients", "Recipients and messages refused.")                          \
	X(delivered, "copies", "Copies placed in folders.")                                    \
	X(queued, "recipients", "Recipients put into the queue.")                              \
	X(held, "recipients", "Of these, held: their user addressed too many in an hour.")     \
	X(sent, "recipients", "Recipients that another server took.")                          \
	X(sent_bytes, "bytes", "Bytes of the messages it took.")                               \
	X(lan_queued, "recipients", "Recipients put into the queue for LAN forwarding.")          \
	X(lan_sent, "recipients", "Recipients that a LAN server took.")                        \
	X(lan_sent_bytes, "bytes", "Bytes of the messages it took.")                           \
	X(deferred, "recipients", "Recipients put off after a try.")                           \
	X(failed, "recipients", "Recipients that failed for good.")                            \
	X(outgoing_connections, "connections", "Connections to other servers, now.")           \
	X(outgoing_refused, "connections", "Connections to other servers that came to nothing.") \
	X(connects, "times", "Runs of connections that had their way out.")                    \
	X(connect_failures, "times", "Links that did not come up, all tries of an attempt counted as one.") \
	X(last_sent_ms, "ms", "When another server took a message last (Unix time).")          \
	X(retrieved, "messages", "Messages fetched by their users.")                           \
	X(retrieved_bytes, "bytes", "Bytes of the messages fetched.")                          \
	X(cold_reads, "times", "Waits for message bytes that were not in memory.")             \
	X(bytes_in, "bytes", "Bytes read from peers.")                                         \
	X(bytes_out, "bytes", "Bytes sent to peers.")                                          \
	X(memory_in_flight, "bytes", "Bytes of messages on their way into the store, now.")    \
	X(slow_turns, "turns", "Turns of a loop over 10 ms.")                                  \
	X(longest_turn_us, "us", "The longest turn of any loop.")                              \
	X(reloads, "times", "Configurations taken over.")

struct metrics {
#define X(name, unit, help) _Atomic int64_t name;
	METRICS(X)
#undef X
};

#define metric_add(m, name, n) \
	atomic_fetch_add_explicit(&(m)->name, (int64_t)(n), memory_order_relaxed)
#define metric_get(m, name) atomic_load_explicit(&(m)->name, memory_order_relaxed)

void metric_raise(_Atomic int64_t *value, int64_t to); /* keeps the largest */

/* The rows in their order, for those who print all. */
struct metric_row {
	const char *name, *unit, *help;
	size_t offset; /* of the word in struct metrics */
};
extern const struct metric_row metric_rows[];
extern const size_t metric_row_count;
int64_t metric_row_get(const struct metrics *m, const struct metric_row *row);

#endif
