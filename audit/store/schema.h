// The store's tables, rights and triggers: made, checked and brought up to date by the gateway at
// its start (schema.sql; docs/audit-format.md, "The store").

#pragma once

#include <string_view>

#include "audit/store/store_connection.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

inline constexpr int schema_version = 1;

// In one transaction, and one gateway at a time. `program` is this program's version, for the
// record. Fault::refused, with what to do about it, where the store is newer than the program, is
// not PostgreSQL 15 or newer, or its login lacks a right.
Result<void> apply_schema(StoreConnection& store, std::string_view program,
                          StoreConnection::Deadline deadline);

// For readers, which change nothing: Fault::refused where the schema is missing or newer.
Result<void> check_schema(StoreConnection& store, StoreConnection::Deadline deadline);

}  // namespace sallyport
