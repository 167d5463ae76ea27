#include "tests/unit/test_conf.h"
int test_conf_get(void) { return 0; }
