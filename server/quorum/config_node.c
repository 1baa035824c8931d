/* config_node.c - the text of the present configuration, put into the tree. */
#include "server/quorum/config_node.h"

void config_node_init(struct quorum_self *self, struct zk_database *database)
{
    struct quorum_verifier *verifier = quorum_self_verifier(self);
    struct buffer text = {0};
    quorum_verifier_print(verifier, &text);
    data_tree_set_config(zk_database_tree(database), (struct slice){text.bytes, text.size},
                         quorum_verifier_version(verifier));
    buffer_release(&text);
    quorum_verifier_unref(verifier);
}
