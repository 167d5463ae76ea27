#include "tests/unit/test_conf.h"
int test_conf_history(void) { return 0; }
