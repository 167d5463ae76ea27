/*
 * stream_tls.h - what TLS adds to a stream; for the stream*.c files alone.
 *
 *	NONE -> ASKED (our go-ahead is still to be sent) -> SHAKING -> secure
 *
 * While a handshake step is lent to a worker, nothing here touches the TLS context or the wire
 * buffers: reading and writing stop, a close only waits (house: Loops are plural).
 */
#ifndef SERVER_NET_STREAM_TLS_H
#define SERVER_NET_STREAM_TLS_H

#include "server/net/stream_inside.h"

bool stream_tls_is_shaking(const struct stream *s);
bool stream_tls_is_mute(const struct stream *s); /* the handshake has begun and is not done */
bool stream_tls_is_lent(const struct stream *s);
bool stream_tls_wants_bytes(const struct stream *s);
bool stream_tls_has_input(const struct stream *s);
size_t stream_tls_unsent(const struct stream *s); /* bytes ready for the socket */
void stream_tls_begin(struct stream *s); /* if it was asked for and nothing is unsent */
void stream_tls_read(struct stream *s);	 /* the socket is readable */
void stream_tls_pump(struct stream *s);	 /* offer what TLS has decrypted */
bool stream_tls_send(struct stream *s);	 /* false where the kernel takes no more */
void stream_tls_say_goodbye(struct stream *s);
void stream_tls_free(struct stream *s);

#endif
