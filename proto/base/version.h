/*
 * version.h - which Postroom this is: server, command line and protocol say the same.
 */
#ifndef PROTO_BASE_VERSION_H
#define PROTO_BASE_VERSION_H

#define POSTROOM_VERSION "0.1.0"

#endif
