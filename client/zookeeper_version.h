/* The release of ZooKeeper whose C binding this library stands in for; zoo_version_str() tells it at run time. */
#ifndef ZOOKEEPER_VERSION_H_
#define ZOOKEEPER_VERSION_H_

#define ZOO_VERSION "3.9.5"

#endif
