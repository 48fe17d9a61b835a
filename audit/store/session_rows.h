// The one question put to proj.session.

#pragma once

#include <optional>
#include <vector>

#include "audit/store/search.h"
#include "audit/store/store_connection.h"

namespace sallyport {

// At most `count` sessions that match, newest first, from the one behind `after` on. Does not look
// at the filter's text and limit.
Result<std::vector<SessionSummary>> session_rows(StoreConnection& store,
                                                 const SessionFilter& filter,
                                                 const std::optional<Uuid>& only,
                                                 const SessionSummary* after, std::size_t count);

}  // namespace sallyport
