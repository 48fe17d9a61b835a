#include "audit/store/postgres_programs.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace sallyport {
namespace {

constexpr int oldest_major = 15;

bool complete(const std::string& folder)
{
    return ::access((folder + "/initdb").c_str(), X_OK) == 0 &&
           ::access((folder + "/postgres").c_str(), X_OK) == 0;
}

// /usr/lib/postgresql/15/bin (Debian), /usr/pgsql-15/bin (PostgreSQL's RPMs).
void add_packaged(std::vector<PostgresPrograms>& found)
{
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", none))
        found.push_back(
            {leading_number(entry.path().filename().native()), entry.path().native() + "/bin"});
    for (const auto& entry : std::filesystem::directory_iterator("/usr", none)) {
        const std::string name = entry.path().filename().native();
        if (name.starts_with("pgsql-"))
            found.push_back(
                {leading_number(std::string_view(name).substr(6)), entry.path().native() + "/bin"});
    }
}

// The first line a fixed command prints.
std::string first_line_of(const char* command)
{
    struct Close {
        void operator()(std::FILE* file) const { (void)::pclose(file); }  // its output decides
    };
    const std::unique_ptr<std::FILE, Close> output(::popen(command, "re"));
    std::array<char, 1024> line{};
    if (!output || std::fgets(line.data(), line.size(), output.get()) == nullptr)
        return {};
    std::string text(line.data());
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

void add_configured(std::vector<PostgresPrograms>& found)
{
    const std::string folder = first_line_of("pg_config --bindir 2>/dev/null");
    const std::string version =
        first_line_of("pg_config --version 2>/dev/null");  // PostgreSQL 15.4
    const std::size_t space = version.find(' ');
    if (!folder.empty() && space != std::string::npos)
        found.push_back({leading_number(std::string_view(version).substr(space + 1)), folder});
}

}  // namespace

int leading_number(std::string_view version)
{
    int number = 0;
    std::from_chars(version.data(), version.data() + version.size(), number);
    return number;
}

Result<PostgresPrograms> find_postgres_programs(std::optional<int> major)
{
    std::vector<PostgresPrograms> found;
    add_packaged(found);
    for (const bool asked : {false, true}) {
        if (asked)
            add_configured(found);
        PostgresPrograms best;
        for (const PostgresPrograms& programs : found) {
            const bool wanted = major ? programs.major == *major : programs.major >= oldest_major;
            if (wanted && programs.major > best.major && complete(programs.folder))
                best = programs;
        }
        if (best.major != 0)
            return best;
    }
    const std::string version = std::to_string(major.value_or(oldest_major));
    return failure(
        Fault::unavailable,
        major ? "the embedded store was made by PostgreSQL " + version +
                    ", whose programs are not on this machine: install the package postgresql-" +
                    version
              : "the embedded store needs PostgreSQL's programs (initdb, postgres), " + version +
                    " or newer: install the package postgresql-" + version +
                    ", or give store.dsn in the configuration");
}

}  // namespace sallyport
