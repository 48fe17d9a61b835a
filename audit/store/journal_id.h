// The name of one journal: a random UUID kept beside its segments.
//
// The store remembers how far a gateway's journal has been shipped as a position in it. A position
// means nothing in another journal, so the two are remembered together.

#pragma once

#include <string>

#include "gateway/vocabulary/ids.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

// The id in `directory`, made there if missing. Fault::unrecorded where it can be neither read nor
// made.
Result<Uuid> journal_id_in(const std::string& directory);

// A new id: positions of the old one count no longer.
Result<Uuid> renew_journal_id_in(const std::string& directory);

}  // namespace sallyport
