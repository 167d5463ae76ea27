/*
 * pipeline/mail_robot.h - did a program send it, so that no person waits for an answer, or has read what it answers
 * (RFC 3834, H14 to H17)?
 */
#ifndef SERVER_PIPELINE_MAIL_ROBOT_H
#define SERVER_PIPELINE_MAIL_ROBOT_H

#include "server/pipeline/mail.h"

/* Why it counts as a program's, by its envelope and header; NULL: a person may have written it. */
const char *mail_robot_why(const struct mail *mail);

#endif
