#include "gateway/targets/target.h"
