/*
 * chroot.c - paths of a client whose root is a node of the server.
 *
 * Departs from Java and the C binding, which cut off as many bytes as the chroot has, whatever they are: a path of the
 * server that is not below the chroot stays as it is.
 */
#include "client/chroot.h"

#include <string.h>

#include "common/wire/path.h"

int chroot_check_path(const char *path, bool is_sequential, struct error *error)
{
    return path_validate(ustring_of(path), is_sequential, error);
}

void chroot_append(struct buffer *out, const char *chroot, const char *path)
{
    if (chroot != NULL)
        buffer_append_string(out, chroot);
    if (chroot == NULL || strcmp(path, "/") != 0)
        buffer_append_string(out, path);
}

void chroot_write(struct buffer *out, const char *chroot, const char *path)
{
    size_t start = out->size;
    jute_write_int32(out, 0);
    chroot_append(out, chroot, path);
    store_be32(out->bytes + start, (uint32_t)(out->size - start - 4));
}

char *chroot_prepend(const char *chroot, const char *path)
{
    struct buffer out = { 0 };
    chroot_append(&out, chroot, path);
    return buffer_detach(&out);
}

const char *chroot_strip(const char *chroot, const char *server_path)
{
    size_t size = chroot != NULL ? strlen(chroot) : 0;
    if (size == 0 || strncmp(server_path, chroot, size) != 0)
        return server_path;
    if (server_path[size] == '\0')
        return "/";
    return server_path[size] == '/' ? server_path + size : server_path;
}
