// What names meant when a gateway last read the target's catalogue: for commands that contact no
// target.

#pragma once

#include <memory>
#include <string>

#include "gateway/targets/target.h"
#include "gateway/vocabulary/result.h"
#include "protocols/postgres/resolution.h"

namespace sallyport::postgres {

// From the files of a gateway's state directory. Where no gateway has read the catalogue yet, as in
// an empty database. Fault::unavailable where a file is there and cannot be read.
Result<std::shared_ptr<Resolution>> kept_names(const std::string& state_dir,
                                               const Connection& connection);

}  // namespace sallyport::postgres
