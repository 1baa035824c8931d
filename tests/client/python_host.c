/*
 * python_host.c - a Python that Debian's python3-zookeeper runs in as it is; binaries.py links it with libpython.
 *
 * The module was made for an older Python. It wants PyIOBase_Type, which none exports (for set_log_stream() only), and
 * passes int for the lengths of '#' in formats, which Python 3.10 and later refuse: here they become Py_ssize_t. Both
 * functions stand in the program, so that the module finds these rather than those of libpython.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>

typedef struct _object PyObject;
extern int _PyArg_ParseTuple_SizeT(PyObject *args, const char *format, ...);
extern PyObject *_Py_BuildValue_SizeT(const char *format, ...);
extern int PyArg_VaParse(PyObject *args, const char *format, va_list list);
extern PyObject *Py_VaBuildValue(const char *format, va_list list);
extern int Py_BytesMain(int argc, char **argv);
int PyArg_ParseTuple(PyObject *args, const char *format, ...);
PyObject *Py_BuildValue(const char *format, ...);

enum { PLACES = 12 };

char PyIOBase_Type[1024];

int PyArg_ParseTuple(PyObject *args, const char *format, ...)
{
    void *places[PLACES] = {0};
    int *lengths[PLACES] = {0};
    ssize_t sizes[PLACES] = {0};
    int count = 0;
    va_list list;
    va_start(list, format);
    if (strchr(format, '#') == NULL) {
        int ok = PyArg_VaParse(args, format, list);
        va_end(list);
        return ok;
    }
    for (const char *at = format; *at != '\0' && *at != ':' && *at != ';' && count < PLACES; at++) {
        if (strchr("|() ,", *at) != NULL)
            continue;
        places[count] = va_arg(list, void *);
        if (*at == '#') {
            lengths[count] = places[count];
            places[count] = &sizes[count];
        }
        count++;
    }
    va_end(list);
    int ok = _PyArg_ParseTuple_SizeT(args, format, places[0], places[1], places[2], places[3], places[4], places[5],
                                     places[6], places[7], places[8], places[9], places[10], places[11]);
    for (int i = 0; ok && i < count; i++)
        if (lengths[i] != NULL)
            *lengths[i] = (int)sizes[i];
    return ok;
}

PyObject *Py_BuildValue(const char *format, ...)
{
    PyObject *value;
    va_list list;
    va_start(list, format);
    if (strcmp(format, "(s#,N)") == 0) {
        const char *text = va_arg(list, const char *);
        int size = va_arg(list, int);
        value = _Py_BuildValue_SizeT(format, text, (ssize_t)size, va_arg(list, PyObject *));
    } else if (strcmp(format, "(i,i,s#,O)") == 0) {
        int handle = va_arg(list, int), rc = va_arg(list, int);
        const char *text = va_arg(list, const char *);
        int size = va_arg(list, int);
        value = _Py_BuildValue_SizeT(format, handle, rc, text, (ssize_t)size, va_arg(list, PyObject *));
    } else {
        value = Py_VaBuildValue(format, list);
    }
    va_end(list);
    return value;
}

int main(int argc, char **argv)
{
    return Py_BytesMain(argc, argv);
}
