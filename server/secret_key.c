/*
 * secret_key.c - the file of the key: made, found, read.
 */
#include "server/secret_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "proto/base/hex.h"
#include "server/net/random.h"
#include "server/warden/warden_start.h"

#define FILE_SIZE (2 * CRYPTO_KEY_SIZE + 1) /* hex digits and a line end */
#define NEW_SUFFIX ".new"		    /* of the file while it is written */

enum err
secret_key_path(const struct conf *conf, char out[PATH_MAX])
{
	struct span data = conf->data;
	int len;

	while (data.len > 1 && data.ptr[data.len - 1] == '/')
		data.len--;
	if (conf->secrets_key.len > 0)
		len = snprintf(out, PATH_MAX, "%.*s", SPAN_FMT(conf->secrets_key));
	else if (span_find_last(data, '/') == data.len)
		len = snprintf(out, PATH_MAX, "secrets.key");
	else
		len = snprintf(out, PATH_MAX, "%.*s/secrets.key",
			(int)span_find_last(data, '/'), data.ptr);
	return len > 0 && len < PATH_MAX ? OK : ERR_LIMIT;
}

static enum err
write_new(int fd, const struct warden_rights *rights)
{
	char bytes[CRYPTO_KEY_SIZE];
	struct buf text;
	bool ok;

	buf_init(&text, FILE_SIZE);
	text.wipes = true;
	random_fill(bytes, sizeof(bytes));
	ok = hex_put(&text, (struct span){ bytes, sizeof(bytes) }) == OK &&
		buf_put_char(&text, '\n') == OK &&
		write(fd, text.bytes, FILE_SIZE) == FILE_SIZE &&
		(!rights->drops || fchown(fd, rights->uid, rights->gid) == 0) && fsync(fd) == 0;
	explicit_bzero(bytes, sizeof(bytes));
	buf_fini(&text);
	return ok ? OK : ERR_IO;
}

enum err
secret_key_make(const char *path, const struct warden_rights *rights)
{
	char temp[PATH_MAX + sizeof(NEW_SUFFIX)];
	enum err err;
	int fd;

	if (access(path, F_OK) == 0)
		return OK;
	if (errno != ENOENT)
		return ERR_IO;
	snprintf(temp, sizeof(temp), "%s" NEW_SUFFIX, path);
	if (unlink(temp) != 0 && errno != ENOENT)
		return ERR_IO;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_IO;
	err = write_new(fd, rights);
	close(fd);
	if (err != OK || rename(temp, path) != 0) {
		int error = errno;

		unlink(temp);
		errno = error;
		return ERR_IO;
	}
	return OK;
}

enum err
secret_key_read(int fd, struct crypto_key *out)
{
	char bytes[FILE_SIZE + 1];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	struct stat st;
	struct buf key;
	enum err err = n < 0 || fstat(fd, &st) != 0 ? ERR_IO : OK;

	close(fd);
	buf_init(&key, CRYPTO_KEY_SIZE);
	key.wipes = true;
	if (err == OK && (st.st_mode & (S_IRWXG | S_IRWXO)))
		err = ERR_DENIED;
	if (err == OK && n != FILE_SIZE)
		err = ERR_SYNTAX;
	if (err == OK)
		err = hex_decode((struct span){ bytes, FILE_SIZE - 1 }, &key);
	if (err == OK)
		memcpy(out->bytes, key.bytes, sizeof(out->bytes));
	buf_fini(&key);
	explicit_bzero(bytes, sizeof(bytes));
	return err;
}
