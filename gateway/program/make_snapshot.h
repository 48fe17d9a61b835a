// From what the configuration file says to what the session engine works with.

#pragma once

#include <string>

#include "gateway/config/configuration.h"
#include "gateway/session/snapshot.h"

namespace sallyport {

// mask_key, decoy_key: 32 bytes each, as load_or_make_key() gives them.
Snapshot make_snapshot(const Configuration& configuration, std::string mask_key,
                       std::string decoy_key);

}  // namespace sallyport
