#include "kernels/cpu/control_group.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

using namespace seq;
namespace fs = std::filesystem;

namespace {

/// A folder that stands for / and is gone at the end.
class Root {
   public:
    Root() : path(fs::temp_directory_path() / ("seq-groups-" + std::to_string(getpid()))) {
        fs::create_directories(path);
    }
    ~Root() { fs::remove_all(path); }

    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path / name).parent_path());
        std::ofstream(path / name) << text;
    }

    const fs::path path;
};

}  // namespace

TEST_CASE("processors that control groups leave") {
    const Root root;
    CHECK(!cpu::granted_processors(root.path));
    SUBCASE("version 2, in a container") {
        root.write("proc/self/cgroup", "0::/\n");
        CHECK(!cpu::granted_processors(root.path));
        root.write("sys/fs/cgroup/cpu.max", "max 100000\n");
        CHECK(!cpu::granted_processors(root.path));
        root.write("sys/fs/cgroup/cpu.max", "350000 100000\n");
        CHECK(cpu::granted_processors(root.path) == 3);
        root.write("sys/fs/cgroup/cpu.max", "20000 100000\n");
        CHECK(cpu::granted_processors(root.path) == 1);
    }
    SUBCASE("version 2, the least of the groups around") {
        root.write("proc/self/cgroup", "0::/a.slice/b.service\n");
        root.write("sys/fs/cgroup/a.slice/cpu.max", "200000 100000\n");
        root.write("sys/fs/cgroup/a.slice/b.service/cpu.max", "max 100000\n");
        CHECK(cpu::granted_processors(root.path) == 2);
        root.write("sys/fs/cgroup/a.slice/b.service/cpu.max", "100000 100000\n");
        CHECK(cpu::granted_processors(root.path) == 1);
    }
    SUBCASE("version 1, beside version 2") {
        root.write("proc/self/cgroup", "4:cpu,cpuacct:/docker/x\n2:memory:/docker/y\n0::/\n");
        root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "400000\n");
        root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
        CHECK(cpu::granted_processors(root.path) == 4);
        root.write("sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "-1\n");
        root.write("sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
        CHECK(cpu::granted_processors(root.path) == 4);
        root.write("sys/fs/cgroup/memory/docker/y/memory.limit_in_bytes", "1000");
        CHECK(cpu::control_groups("memory", root.path).front() == root.path / "sys/fs/cgroup/memory/docker/y");
    }
    SUBCASE("rubbish limits nothing") {
        root.write("proc/self/cgroup", "0::/../../x\nnothing\n:\n1:cpu\n");
        root.write("sys/fs/cgroup/cpu.max", "many 5");
        CHECK(!cpu::granted_processors(root.path));
        root.write("sys/fs/cgroup/cpu.max", "100000 0");
        CHECK(!cpu::granted_processors(root.path));
    }
}

TEST_CASE("no more threads are used than there are processors") {
    CHECK(cpu::usable_concurrency() >= 1);
    CHECK(cpu::usable_concurrency() <= static_cast<int>(std::thread::hardware_concurrency()));
}
