#include "audit/store/child_process.h"

#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sallyport {
namespace {

// child_data_path, child_run_path
constexpr int data_file = 3;
constexpr int run_file = 4;

tl::unexpected<Error> cannot(const char* what, const std::string& path)
{
    return failure(Fault::unavailable, std::string("the embedded store: cannot ") + what + " " +
                                           path + ": " + std::generic_category().message(errno));
}

// What the child does before exec: only what a signal handler may, for other threads of the parent
// held locks. Hence system calls where the library would look after all threads.
[[noreturn]] void become(char* const* words, const RunUser* user, const ChildProcess& child,
                         int log, int nothing, pid_t parent)
{
    static const char* const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC",
                                              nullptr};
    ::setsid();
    for (int number = 1; number < NSIG; ++number)
        (void)::signal(number, SIG_DFL);  // refused for SIGKILL and SIGSTOP, which need it not
    // Out of the way of 0 to 4 first.
    constexpr int above = 16;
    const int data_copy = ::fcntl(child.data, F_DUPFD, above);
    const int run_copy = ::fcntl(child.run, F_DUPFD, above);
    const int log_copy = ::fcntl(log, F_DUPFD, above);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log_copy, STDOUT_FILENO);
    ::dup2(log_copy, STDERR_FILENO);
    ::dup2(data_copy, data_file);
    ::dup2(run_copy, run_file);
    if (::close_range(run_file + 1, ~0U, 0) != 0) {
        for (int file = run_file + 1; file < 65536; ++file)
            ::close(file);
    }
    if (user != nullptr &&
        (::syscall(SYS_setgroups, 0, nullptr) != 0 || ::syscall(SYS_setgid, user->gid) != 0 ||
         ::syscall(SYS_setuid, user->uid) != 0))
        ::_exit(126);
    // After the change of user, which would undo it. The parent may have gone meanwhile.
    ::prctl(PR_SET_PDEATHSIG, SIGINT);
    if (::getppid() != parent || ::chdir("/") != 0)
        ::_exit(126);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(words[0], words, const_cast<char* const*>(environment));
    ::_exit(127);
}

}  // namespace

OwnedFile::OwnedFile(OwnedFile&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

OwnedFile& OwnedFile::operator=(OwnedFile&& other) noexcept
{
    std::swap(file_, other.file_);
    return *this;
}

OwnedFile::~OwnedFile()
{
    if (file_ >= 0)
        ::close(file_);
}

Result<pid_t> start_child(const ChildProcess& child)
{
    std::vector<char*> words;
    words.reserve(child.arguments.size() + 1);
    for (const std::string& argument : child.arguments)
        words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    const OwnedFile log(
        ::open(child.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    if (!log)
        return cannot("create", child.log);
    const OwnedFile nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing)
        return cannot("open", "/dev/null");
    const RunUser* const user = ::geteuid() == 0 ? &child.user : nullptr;
    const pid_t parent = ::getpid();

    // The child must not run this program's handlers.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0)
        become(words.data(), user, child, log.get(), nothing.get(), parent);
    const int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = failed;
    return pid > 0 ? Result<pid_t>(pid) : cannot("start", child.arguments.front());
}

}  // namespace sallyport
