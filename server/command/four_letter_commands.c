/*
 * four_letter_commands.c - which words there are, which are permitted, and how one is answered. Mirrors
 * server.command.FourLetterCommands, CommandExecutor and the commands of a line or two.
 *
 * A word comes in the place of a first length, on a connection that has no session: whoever can connect may ask, so
 * only srvr is answered unless the whitelist says more. Runs on the selector of the connection; no word waits.
 */
#include "server/command/four_letter_commands.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/command/command.h"
#include "server/command/environment.h"

/* ZooTrace: requests, packets between servers, sessions, warnings. The mask is kept and shown; what is written follows
 * from the levels of logging. */
#define DEFAULT_TRACE_MASK (1 << 1 | 1 << 4 | 1 << 5 | 1 << 8)
#define MOST_DIGESTS 1024

struct four_letter_commands {
    struct four_letter_hook hook;
    _Atomic uint32_t enabled;    /* a bit for each row of `words` */
    _Atomic int64_t trace_mask;
    char *environment;
};

static void print_environment_entry(void *context, const char *key, const char *value)
{
    buffer_printf(context, "%s=%s\n", key, value);
}

static void envi_command(const struct command *command)
{
    buffer_printf(command->out, "Environment:\n%s", command->environment);
}

static void gtmk_command(const struct command *command)
{
    buffer_printf(command->out, "%" PRId64, atomic_load(command->trace_mask));
}

static void hash_command(const struct command *command)
{
    if (!command_is_serving(command)) {
        buffer_append_string(command->out, COMMAND_NOT_SERVING);
        return;
    }
    struct data_tree *tree = zk_database_tree(zookeeper_server_core(command->server)->database);
    struct zxid_digest *log = MEMORY_NEW_ARRAY(MOST_DIGESTS, struct zxid_digest);
    size_t count = data_tree_digest_log(tree, log, MOST_DIGESTS);
    for (size_t i = 0; i < count; i++)
        buffer_printf(command->out, "%" PRIx64 ": %" PRId64 "\n", (uint64_t)log[i].zxid, (int64_t)log[i].digest);
    memory_free(log);
}

static void isro_command(const struct command *command)
{
    const char *answer = "null";
    if (command_is_serving(command))
        answer = zookeeper_server_core(command->server)->role->ops->is_read_only ? "ro" : "rw";
    buffer_append_string(command->out, answer);
}

static void ruok_command(const struct command *command)
{
    buffer_append_string(command->out, "imok");
}

/* The mask follows as eight bytes; less is no answer, where Java breaks off. */
static void stmk_command(const struct command *command)
{
    if (command->rest.size < sizeof(uint64_t))
        return;
    int64_t mask = (int64_t)load_be64(command->rest.bytes);
    atomic_store(command->trace_mask, mask);
    log_info("Set text trace mask to 0x%" PRIx64, (uint64_t)mask);
    buffer_printf(command->out, "%" PRId64, mask);
}

static const struct word {
    const char *name;
    void (*run)(const struct command *command);
} words[] = {
    {"conf", conf_command}, {"cons", cons_command}, {"crst", crst_command}, {"dirs", dirs_command},
    {"dump", dump_command}, {"envi", envi_command}, {"gtmk", gtmk_command}, {"hash", hash_command},
    {"isro", isro_command}, {"mntr", mntr_command}, {"ruok", ruok_command}, {"srst", srst_command},
    {"srvr", srvr_command}, {"stat", stat_command}, {"stmk", stmk_command}, {"wchc", wchc_command},
    {"wchp", wchp_command}, {"wchs", wchs_command},
    {"telnet close", NULL},    /* what telnet sends when it closes: known, never run */
};
#define TELNET_CLOSE 0xfff4fffd

static const struct word *find_word(const char *name, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i].name) == size && memcmp(words[i].name, name, size) == 0)
            return &words[i];
    return NULL;
}

static const struct word *find_code(uint32_t code)
{
    uint8_t name[sizeof(code)];
    store_be32(name, code);
    return code == TELNET_CLOSE ? &words[ARRAY_SIZE(words) - 1] : find_word((const char *)name, sizeof(name));
}

static uint32_t bit_of(const struct word *word)
{
    return UINT32_C(1) << (word - words);
}

/* The bits of one name, or of all there are. */
static uint32_t parse_whitelisted(const char *name)
{
    const struct word *word = find_word(name, strlen(name));
    if (strcmp(name, "*") == 0)
        return UINT32_MAX;
    if (word != NULL)
        return bit_of(word);
    if (*name != '\0')
        log_warn("4lw.commands.whitelist names \"%s\", which is no four letter word", name);
    return 0;
}

/* "srvr, stat" as bits. */
static uint32_t parse_whitelist(const char *list)
{
    uint32_t enabled = 0;
    char *copy = string_copy(list), *rest = copy, *name;
    while ((name = strsep(&rest, ",")) != NULL)
        enabled |= parse_whitelisted(string_trim(name));
    memory_free(copy);
    return enabled;
}

static void log_enabled_words(uint32_t enabled)
{
    struct buffer list = {0};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if ((enabled & bit_of(&words[i])) != 0)
            buffer_printf(&list, "%s%s", list.size > 0 ? ", " : "", words[i].name);
    log_info("The list of enabled four letter word commands is : [[%s]]", buffer_string(&list));
    buffer_release(&list);
}

static void run_word(struct four_letter_commands *commands, const struct word *word, struct zookeeper_server *server,
                     struct server_cnxn_factory *factory, struct slice rest, struct buffer *out)
{
    const struct command command = {server, factory, &commands->trace_mask, commands->environment, rest, out};
    word->run(&command);
}

static bool handle(struct four_letter_hook *self, struct zookeeper_server *server, struct server_cnxn *cnxn,
                   uint32_t code, struct slice rest)
{
    struct four_letter_commands *commands = container_of(self, struct four_letter_commands, hook);
    const struct word *word = find_code(code);
    if (word == NULL)
        return false;
    bool is_enabled = (atomic_load(&commands->enabled) & bit_of(word)) != 0;
    if (is_enabled && word->run == NULL)
        return false;
    server_cnxn_word_received(cnxn);
    struct buffer out = {0};
    if (is_enabled) {
        char peer[ADDRESS_TEXT_SIZE];
        address_format(&cnxn->peer, peer);
        log_info("Processing %s command from %s", word->name, peer);
        run_word(commands, word, server, cnxn->factory, rest, &out);
    } else {
        log_debug("Command %s is not executed because it is not in the whitelist.", word->name);
        buffer_printf(&out, "%s is not executed because it is not in the whitelist.\n", word->name);
    }
    if (out.size > 0)
        server_cnxn_send_raw(cnxn, out.bytes, out.size);
    server_cnxn_send_close(cnxn);
    buffer_release(&out);
    return true;
}

bool command_is_serving(const struct command *command)
{
    return command->server != NULL && zookeeper_server_takes_clients(command->server);
}

struct four_letter_commands *four_letter_commands_new(const struct server_options *options)
{
    struct four_letter_commands *commands = MEMORY_NEW(struct four_letter_commands);
    struct buffer environment = {0};
    commands->hook.handle = handle;
    atomic_init(&commands->trace_mask, DEFAULT_TRACE_MASK);
    environment_list(print_environment_entry, &environment);
    commands->environment = buffer_detach(&environment);
    four_letter_commands_reload(commands, options);
    return commands;
}

void four_letter_commands_free(struct four_letter_commands *commands)
{
    if (commands == NULL)
        return;
    memory_free(commands->environment);
    memory_free(commands);
}

void four_letter_commands_reload(struct four_letter_commands *commands, const struct server_options *options)
{
    const char *whitelist = options->four_lw_commands_whitelist;
    uint32_t enabled = bit_of(find_word("srvr", 4)) | (whitelist == NULL ? 0 : parse_whitelist(whitelist));
    if (options->readonlymode_enabled)
        enabled |= bit_of(find_word("isro", 4));
    log_enabled_words(enabled);
    atomic_store(&commands->enabled, enabled);
}

struct four_letter_hook *four_letter_commands_hook(struct four_letter_commands *commands)
{
    return &commands->hook;
}

bool four_letter_command_run(struct four_letter_commands *commands, struct zookeeper_server *server, const char *word,
                             struct slice rest, struct buffer *out)
{
    const struct word *found = find_word(word, strlen(word));
    if (found == NULL || found->run == NULL)
        return false;
    run_word(commands, found, server, server == NULL ? NULL : zookeeper_server_factory(server), rest, out);
    return true;
}
