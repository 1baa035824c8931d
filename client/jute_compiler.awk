# jute_compiler.awk - makes C of record descriptions: structs, and functions that write, read and free them.
#
#   awk -v output=header -f jute_compiler.awk zookeeper.jute >zookeeper.jute.h
#   awk -v output=source -f jute_compiler.awk zookeeper.jute >zookeeper_jute.c
#
# Of jute it knows what these records need, one item a line: modules, classes, fields of int, long, boolean, ustring,
# buffer, a class that stands above, or a vector of one of these. Comments (//) before a class or behind a field go into
# the header. Anything else ends it with the number of the line.
#
# A class X becomes struct X with serialize_X(), deserialize_X() and deallocate_X(); vector<X> becomes struct X_vector,
# count and data, with these and allocate_X_vector(), before the first class that has one. A reader begins with zeros
# and leaves, whatever comes, what can be freed. The items of a vector are allocated only once the bytes that are left
# could hold as many of the shortest of their kind.

BEGIN {
    #         C type                    suffix               fewest bytes    has memory of its own
    primitive("int",     "int32_t ",       "Int",    4, 0)
    primitive("long",    "int64_t ",       "Long",   8, 0)
    primitive("boolean", "int32_t ",       "Bool",   1, 0)
    primitive("ustring", "char *",         "String", 4, 1)
    primitive("buffer",  "struct buffer ", "Buffer", 4, 1)
    if (output != "header" && output != "source")
        fail("output is neither header nor source")
    print_head()
}

function primitive(type, c, name, bytes, owns)
{
    is_primitive[type] = 1
    c_type[type] = c
    suffix[type] = name
    least[type] = bytes
    owning[type] = owns
}
function fail(why)
{
    failed = 1
    printf "%s:%d: %s\n", FILENAME, FNR, why >"/dev/stderr"
    exit 1
}
function header(text) { if (output == "header") print text }
function source(text) { if (output == "source") print text }
function print_head()
{
    header("/* Records of ZooKeeper, made from zookeeper.jute; recordio.h has the archives they go through. */")
    header("#ifndef __ZOOKEEPER_JUTE__")
    header("#define __ZOOKEEPER_JUTE__")
    header("")
    header("#include \"recordio.h\"")
    header("")
    header("#ifdef __cplusplus")
    header("extern \"C\" {")
    header("#endif")
    header("")
    header("/*")
    header(" * serialize_X() writes a record, deserialize_X() reads one into a struct whose old contents are lost;")
    header(" * both return 0 or what the archive did. deallocate_X() frees what is in the struct, also after a reading")
    header(" * that failed, and not the struct. allocate_X_vector() makes a vector of `len` zeroed items, over what")
    header(" * was in the struct. `tag` is for archives that keep names.")
    header(" */")
    source("/* Records of ZooKeeper, made from zookeeper.jute. */")
    source("#include <errno.h>")
    source("#include <string.h>")
    source("")
    source("#include \"client/public.h\"")
    source("#include \"client/recordio_count.h\"")
    source("#include \"common/base/memory.h\"")
}

# What a type is called in names of functions.
function name_of(type) { return is_primitive[type] ? suffix[type] : type }
function write_call(type, tag, member)
{
    return (is_primitive[type] ? "out->" : "") "serialize_" name_of(type) "(out, \"" tag "\", &v->" member ")"
}
function read_call(type, tag, member)
{
    return (is_primitive[type] ? "in->" : "") "deserialize_" name_of(type) "(in, \"" tag "\", &v->" member ")"
}

# A vector is a type like any other, made where it is first asked for.
function vector_of(item,    type)
{
    type = name_of(item) "_vector"
    if (type in c_type)
        return type
    c_type[type] = "struct " type " "
    least[type] = 4
    owning[type] = 1
    header("")
    header("struct " type " {")
    header("    int32_t count;")
    header("    " c_type[item] "*data;")
    header("};")
    header("int serialize_" type "(struct oarchive *out, const char *tag, struct " type " *v);")
    header("int deserialize_" type "(struct iarchive *in, const char *tag, struct " type " *v);")
    header("int allocate_" type "(struct " type " *v, int32_t len);")
    header("int deallocate_" type "(struct " type " *v);")
    source("")
    source("int allocate_" type "(struct " type " *v, int32_t len)")
    source("{")
    source("    v->count = len > 0 ? len : 0;")
    source("    v->data = len > 0 ? memory_alloc_zero((size_t)len, sizeof(*v->data)) : NULL;")
    source("    return len >= 0 ? 0 : -EINVAL;")
    source("}")
    source("")
    source("int deallocate_" type "(struct " type " *v)")
    source("{")
    if (owning[item]) {
        source("    for (int32_t i = 0; v->data != NULL && i < v->count; i++)")
        source("        deallocate_" name_of(item) "(&v->data[i]);")
    }
    source("    memory_free(v->data);")
    source("    v->data = NULL;")
    source("    v->count = 0;")
    source("    return 0;")
    source("}")
    source("")
    source("int serialize_" type "(struct oarchive *out, const char *tag, struct " type " *v)")
    source("{")
    source("    int rc = out->start_vector(out, tag, &v->count);")
    source("    for (int32_t i = 0; rc == 0 && i < v->count; i++)")
    source("        rc = " write_call(item, "data", "data[i]") ";")
    source("    return rc != 0 ? rc : out->end_vector(out, tag);")
    source("}")
    source("")
    source("int deserialize_" type "(struct iarchive *in, const char *tag, struct " type " *v)")
    source("{")
    source("    int32_t count = 0;")
    source("    memset(v, 0, sizeof(*v));")
    source("    int rc = in->start_vector(in, tag, &count);")
    source("    rc = rc != 0 ? rc : iarchive_check_count(in, count, " least[item] ");")
    source("    if (rc != 0)")
    source("        return rc;")
    source("    if (count > 0)")
    source("        allocate_" type "(v, count);")
    source("    for (int32_t i = 0; rc == 0 && i < v->count; i++)")
    source("        rc = " read_call(item, "value", "data[i]") ";")
    source("    return rc != 0 ? rc : in->end_vector(in, tag);")
    source("}")
    return type
}

function begin_class(name)
{
    if (name in c_type)
        fail("there is a " name " already")
    class = name
    field_count = 0
}
function add_field(type, name, comment)
{
    if (!(type in c_type))
        fail("no type '" type "' stands above")
    field_count++
    field_type[field_count] = type
    field_name[field_count] = name
    field_comment[field_count] = comment
}
function end_class(    i, bytes, owns)
{
    header("")
    if (class_comment != "")
        header("/* " class_comment " */")
    header("struct " class " {")
    for (i = 1; i <= field_count; i++) {
        header("    " c_type[field_type[i]] field_name[i] ";" \
               (field_comment[i] != "" ? "    /* " field_comment[i] " */" : ""))
        bytes += least[field_type[i]]
        if (owning[field_type[i]])
            owns = 1
    }
    header("};")
    header("int serialize_" class "(struct oarchive *out, const char *tag, struct " class " *v);")
    header("int deserialize_" class "(struct iarchive *in, const char *tag, struct " class " *v);")
    header("void deallocate_" class "(struct " class " *v);")
    source("")
    source("int serialize_" class "(struct oarchive *out, const char *tag, struct " class " *v)")
    source("{")
    source("    int rc = out->start_record(out, tag);")
    for (i = 1; i <= field_count; i++)
        source("    rc = rc != 0 ? rc : " write_call(field_type[i], field_name[i], field_name[i]) ";")
    source("    return rc != 0 ? rc : out->end_record(out, tag);")
    source("}")
    source("")
    source("int deserialize_" class "(struct iarchive *in, const char *tag, struct " class " *v)")
    source("{")
    source("    memset(v, 0, sizeof(*v));")
    source("    int rc = in->start_record(in, tag);")
    for (i = 1; i <= field_count; i++)
        source("    rc = rc != 0 ? rc : " read_call(field_type[i], field_name[i], field_name[i]) ";")
    source("    return rc != 0 ? rc : in->end_record(in, tag);")
    source("}")
    source("")
    source("void deallocate_" class "(struct " class " *v)")
    source("{")
    if (!owns)
        source("    (void)v;")
    for (i = 1; i <= field_count; i++) {
        if (owning[field_type[i]])
            source("    deallocate_" name_of(field_type[i]) "(&v->" field_name[i] ");")
    }
    source("}")
    c_type[class] = "struct " class " "
    least[class] = bytes
    owning[class] = owns + 0
    class = ""
}

# "org.apache.zookeeper.data.Stat" is Stat: no two modules have a class of the same name.
function short_name(type) { sub(/^.*\./, "", type); return type }

{
    comment = ""
    at = index($0, "//")
    if (at > 0) {
        comment = substr($0, at + 2)
        sub(/^ */, "", comment)
        $0 = substr($0, 1, at - 1)
    }
}
NF == 0 {
    pending = comment == "" ? "" : pending == "" ? comment : pending "\n * " comment
    next
}
$1 == "module" && $3 == "{" && NF == 3 && class == "" { next }
$1 == "class" && $3 == "{" && NF == 3 && class == "" {
    begin_class($2)
    class_comment = pending
    pending = ""
    next
}
$1 == "}" && NF == 1 {
    if (class != "")
        end_class()
    next
}
class != "" && NF == 2 && $2 ~ /^[A-Za-z_][A-Za-z0-9_]*;$/ {
    type = $1
    name = substr($2, 1, length($2) - 1)
    if (type ~ /^vector<[A-Za-z0-9_.]+>$/) {
        item = short_name(substr(type, 8, length(type) - 8))
        if (!(item in c_type))
            fail("no type '" item "' stands above")
        type = vector_of(item)
    } else {
        type = short_name(type)
    }
    add_field(type, name, comment)
    next
}
{ fail("this is neither a module nor a class nor a field") }

END {
    if (failed)
        exit 1
    if (class != "")
        fail("class " class " does not end")
    header("")
    header("#ifdef __cplusplus")
    header("}")
    header("#endif")
    header("")
    header("#endif")
}
