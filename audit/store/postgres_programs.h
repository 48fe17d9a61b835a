// PostgreSQL's own programs on this machine.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/vocabulary/result.h"

namespace sallyport {

struct PostgresPrograms {
    int major = 0;       // 15
    std::string folder;  // holds initdb and postgres
};

// The newest version from 15 on, or exactly `major` where a cluster of that version is to be run:
// Debian's and PostgreSQL's own package folders first, then what pg_config on the PATH says.
// Fault::unavailable, naming the package to install, where there is none.
Result<PostgresPrograms> find_postgres_programs(std::optional<int> major);

// The number that a version begins with: 15 of "15.4"; 0 where it begins with none.
int leading_number(std::string_view version);

}  // namespace sallyport
