/*
 * stream_inside.h - what the stream*.c files share; owners of a stream use stream.h.
 */
#ifndef SERVER_NET_STREAM_INSIDE_H
#define SERVER_NET_STREAM_INSIDE_H

#include "server/net/stream.h"

void stream_end_with(struct stream *s, enum stream_end why);
void stream_offer(struct stream *s);
void stream_watch(struct stream *s); /* what is watched follows from the state */
void stream_init_output(struct stream *s);
size_t stream_wire_unsent(const struct stream *s);
/* Read once. The bytes, or 0 where there are none now or never (eof, end). */
size_t stream_receive(struct stream *s, char *into, size_t size);
/* All of B that the kernel takes; false where some is left. */
bool stream_send(struct stream *s, struct buf *b);

#endif
