#include "audit/store/journal_id.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace sallyport {
namespace {

std::string file_in(const std::string& directory)
{
    return directory + "/journal.id";
}

tl::unexpected<Error> cannot(const char* what, const std::string& path)
{
    return failure(Fault::unrecorded, std::string("cannot ") + what + " " + path + ": " +
                                          std::generic_category().message(errno));
}

}  // namespace

Result<Uuid> journal_id_in(const std::string& directory)
{
    std::ifstream file(file_in(directory));
    std::string line;
    if (std::getline(file, line)) {
        if (const auto id = parse_uuid(line))
            return *id;
    }
    return renew_journal_id_in(directory);
}

Result<Uuid> renew_journal_id_in(const std::string& directory)
{
    const Uuid id = make_uuid_v7(std::chrono::system_clock::now());
    const std::string line = to_string(id) + "\n";
    const std::string path = file_in(directory);
    const std::string fresh = path + ".tmp";

    const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return cannot("create", fresh);
    const bool kept =
        ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
        ::fsync(file) == 0;
    ::close(file);
    if (!kept)
        return cannot("write", fresh);
    if (std::rename(fresh.c_str(), path.c_str()) != 0)
        return cannot("rename", fresh);
    return id;
}

}  // namespace sallyport
