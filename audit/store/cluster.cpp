#include "audit/store/cluster.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <pwd.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// sun_path has 108 octets with the closing zero.
constexpr std::size_t socket_path_limit = 107;
constexpr std::string_view socket_name = "/.s.PGSQL.5432";

std::string reason()
{
    return std::generic_category().message(errno);
}

tl::unexpected<Error> cannot(const char* what, const std::string& path)
{
    return failure(Fault::unavailable, std::string("the embedded store: cannot ") + what + " " +
                                           path + ": " + reason());
}

std::string whole(const std::string& path)
{
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

Result<void> write_file(const std::string& path, const std::string& text)
{
    std::ofstream file(path, std::ios::trunc);
    file << text;
    if (!file.flush())
        return cannot("write", path);
    return {};
}

// 0 where there is none.
pid_t postmaster_in(const std::string& data)
{
    std::ifstream file(data + "/postmaster.pid");
    pid_t pid = 0;
    file >> pid;
    return file ? pid : 0;
}

bool is_postgres(pid_t pid)
{
    return pid > 1 && whole("/proc/" + std::to_string(pid) + "/comm").starts_with("postgres");
}

// The last lines of a log, as one.
std::string tail_of(std::string text)
{
    constexpr std::size_t enough = 600;
    if (text.size() > enough)
        text.erase(0, text.size() - enough);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

constexpr const char* settings =
    R"(# Written by sallyport at each start of the embedded store. Settings of your own: local.conf, beside this file.
listen_addresses = ''
unix_socket_directories = '/proc/self/fd/4'
unix_socket_permissions = 0700
port = 5432
max_connections = 20
shared_buffers = 64MB
max_wal_size = 1GB
checkpoint_timeout = 15min
fsync = on
synchronous_commit = on
full_page_writes = on
max_worker_processes = 2
max_parallel_workers_per_gather = 0
jit = off
huge_pages = off
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = 'log'
log_filename = 'store-%a.log'
log_file_mode = 0600
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
log_min_messages = warning
# Recorded statements and names do not belong into this log.
log_min_error_statement = panic
log_error_verbosity = terse
include_if_exists = 'local.conf'
)";

}  // namespace

bool Cluster::exists(const std::string& state_dir)
{
    return ::access((state_dir + "/store/data/PG_VERSION").c_str(), F_OK) == 0;
}

Result<Cluster> Cluster::prepare(const std::string& state_dir, Deadline deadline,
                                 Deadline lock_deadline)
{
    Cluster cluster;
    cluster.folder_ = state_dir + "/store";
    if (::mkdir(cluster.folder_.c_str(), 0700) != 0 && errno != EEXIST)
        return cannot("create", cluster.folder_);
    if (auto locked = cluster.lock(lock_deadline); !locked)
        return tl::unexpected(std::move(locked).error());
    if (auto chosen = cluster.choose_user(); !chosen)
        return tl::unexpected(std::move(chosen).error());

    std::optional<int> major;
    if (exists(state_dir))
        major = leading_number(whole(cluster.folder_ + "/data/PG_VERSION"));
    TRY(programs, find_postgres_programs(major));
    cluster.programs_ = programs;
    if (auto made = cluster.make_folders(); !made)
        return tl::unexpected(std::move(made).error());
    if (auto ended = cluster.end_left_behind(deadline); !ended)
        return tl::unexpected(std::move(ended).error());
    if (auto configured = cluster.configure(); !configured)
        return tl::unexpected(std::move(configured).error());
    cluster.socket_directory_ = socket_directory_of(state_dir, cluster.run_);
    return cluster;
}

Result<void> Cluster::lock(Deadline deadline)
{
    const std::string path = folder_ + "/lock";
    lock_ = OwnedFile(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock_)
        return cannot("open", path);
    while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return cannot("lock", path);
        if (Clock::now() >= deadline)
            return failure(Fault::unavailable,
                           "the embedded store in " + folder_ +
                               " is run by another sallyport process: stop that one, or "
                               "give this gateway its own gateway.state_dir");
        std::this_thread::sleep_for(50ms);
    }
    return {};
}

Result<void> Cluster::choose_user()
{
    user_ = RunUser{::geteuid(), ::getegid()};
    if (user_.uid != 0)
        return {};
    struct stat made {};
    if (::stat((folder_ + "/data").c_str(), &made) == 0 && made.st_uid != 0) {
        user_ = RunUser{made.st_uid, made.st_gid};
        return {};
    }
    for (const char* name : {"sallyport", "postgres"}) {
        if (const passwd* entry = ::getpwnam(name)) {
            user_ = RunUser{entry->pw_uid, entry->pw_gid};
            return {};
        }
    }
    return failure(
        Fault::unavailable,
        "the embedded store: PostgreSQL does not run as root, and there is no user \"sallyport\" "
        "or \"postgres\": create one (useradd --system sallyport), run the gateway as another "
        "user, or give store.dsn in the configuration");
}

Result<void> Cluster::give(const std::string& path) const
{
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return cannot("create", path);
    if (::geteuid() == 0 && ::chown(path.c_str(), user_.uid, user_.gid) != 0)
        return cannot("give away", path);
    return {};
}

Result<void> Cluster::make_folders()
{
    const std::string data = folder_ + "/data";
    if (auto given = give(folder_ + "/run"); !given)
        return given;
    run_ = OwnedFile(::open((folder_ + "/run").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!run_)
        return cannot("open", folder_ + "/run");
    if (::access((data + "/PG_VERSION").c_str(), F_OK) != 0) {
        if (auto initialised = initialise(data); !initialised)
            return initialised;
    }
    data_ = OwnedFile(::open(data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!data_)
        return cannot("open", data);
    return {};
}

// In a folder of another name, renamed when it is whole: what a crash leaves is thrown away.
Result<void> Cluster::initialise(const std::string& data)
{
    const std::string fresh = data + ".new";
    std::error_code failed;
    std::filesystem::remove_all(fresh, failed);
    if (failed)
        return failure(Fault::unavailable,
                       "the embedded store: cannot remove " + fresh + ": " + failed.message());
    if (auto given = give(fresh); !given)
        return given;
    const OwnedFile folder(::open(fresh.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder)
        return cannot("open", fresh);

    spdlog::info("event=store_created folder={} postgres={}", data, programs_.major);
    const std::vector<std::string> arguments = {programs_.folder + "/initdb",
                                                "-D",
                                                child_data_path,
                                                "-U",
                                                "sallyport",
                                                "--data-checksums",
                                                "-E",
                                                "UTF8",
                                                "--locale=C.UTF-8",
                                                "--auth=reject",
                                                "--no-instructions"};
    TRY(pid, start_child({arguments, user_, folder.get(), run_.get(), folder_ + "/start.log"}));
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return failure(Fault::unavailable,
                       "the embedded store: initdb failed in " + fresh + ": " + last_words());
    if (::rename(fresh.c_str(), data.c_str()) != 0)
        return cannot("rename", fresh);
    return {};
}

Result<void> Cluster::configure() const
{
    const std::string data = folder_ + "/data";
    const passwd* const me = ::getpwuid(::geteuid());
    if (me == nullptr)
        return failure(Fault::unavailable,
                       "the embedded store: user id " + std::to_string(::geteuid()) +
                           " has no name, which PostgreSQL's peer login needs: add it to "
                           "/etc/passwd, or give store.dsn in the configuration");
    // Nobody but the gateway's user, and root who can do anything to the files anyway.
    std::string users = std::string("sallyport \"") + me->pw_name + "\" sallyport\n";
    if (std::string_view(me->pw_name) != "root")
        users += "sallyport root sallyport\n";
    for (const auto& [name, text] :
         {std::pair<std::string, std::string>{"postgresql.conf", settings},
          {"pg_hba.conf", "local all sallyport peer map=sallyport\n"},
          {"pg_ident.conf", users}}) {
        if (auto written = write_file(fmt::format("{}/{}", data, name), text); !written)
            return written;
    }
    return {};
}

Result<void> Cluster::end_left_behind(Deadline deadline) const
{
    const std::string data = folder_ + "/data";
    const pid_t pid = postmaster_in(data);
    if (pid == 0)
        return {};
    if (!is_postgres(pid)) {
        // Its number went to a stranger, which PostgreSQL could mistake for a running server.
        ::unlink((data + "/postmaster.pid").c_str());
        return {};
    }
    spdlog::info("event=store_left_behind pid={} action=stopping", pid);
    const auto patience = Clock::now() + 20s;
    ::kill(pid, SIGINT);
    bool hurried = false;
    while (is_postgres(pid) && postmaster_in(data) == pid) {
        if (Clock::now() >= patience && !std::exchange(hurried, true))
            ::kill(pid, SIGQUIT);
        if (Clock::now() >= deadline)
            return failure(Fault::unavailable,
                           "the embedded store: a postmaster of an earlier run, process " +
                               std::to_string(pid) + ", does not stop: stop it, then start again");
        std::this_thread::sleep_for(20ms);
    }
    return {};
}

Result<pid_t> Cluster::start_postmaster() const
{
    return start_child({{programs_.folder + "/postgres", "-D", child_data_path, "-c",
                         "cluster_name=sallyport " + folder_},
                        user_,
                        data_.get(),
                        run_.get(),
                        folder_ + "/start.log"});
}

std::string Cluster::last_words() const
{
    std::string text = tail_of(whole(folder_ + "/start.log"));
    std::error_code none;
    std::filesystem::path newest;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/data/log", none)) {
        if (newest.empty() ||
            entry.last_write_time(none) > std::filesystem::last_write_time(newest, none))
            newest = entry.path();
    }
    if (text.find("FATAL") == std::string::npos && !newest.empty())
        text += tail_of(whole(newest.native()));
    return text + "(" + folder_ + "/start.log, " + folder_ + "/data/log)";
}

std::string socket_directory_of(const std::string& state_dir, const OwnedFile& run)
{
    std::error_code none;
    std::string path = std::filesystem::absolute(state_dir + "/store/run", none).native();
    // libpq takes a comma for the end of the first of several hosts.
    if (path.size() + socket_name.size() <= socket_path_limit &&
        path.find(',') == std::string::npos)
        return path;
    return "/proc/self/fd/" + std::to_string(run.get());
}

OwnedFile open_socket_directory(const std::string& state_dir)
{
    return OwnedFile(::open((state_dir + "/store/run").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

std::string dsn_through(const std::string& socket_directory, const std::string& database)
{
    std::string quoted;
    for (const char letter : socket_directory) {
        if (letter == '\'' || letter == '\\')
            quoted += '\\';
        quoted += letter;
    }
    return "host='" + quoted + "' port=5432 user=sallyport dbname=" + database;
}

}  // namespace sallyport
