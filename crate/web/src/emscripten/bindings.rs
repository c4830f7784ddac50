//! The parts of Emscripten's `Module` and `FS`, and of Pyodide's API object, that Taipan calls.

use js_sys::{Array, Function, Object};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Emscripten's `Module`: the settings object, completed by the glue.
    #[derive(Clone)]
    pub type Module;

    #[wasm_bindgen(method, getter, js_name = FS)]
    pub fn fs(this: &Module) -> Fs;

    #[wasm_bindgen(method, getter, js_name = API)]
    pub fn api(this: &Module) -> Api;

    #[wasm_bindgen(method, getter, js_name = ENV)]
    pub fn environment(this: &Module) -> Object;

    #[wasm_bindgen(method, getter, js_name = GOT)]
    pub fn global_offset_table(this: &Module) -> Object;

    #[wasm_bindgen(method, getter, js_name = HEAP8)]
    pub fn heap8(this: &Module) -> js_sys::Int8Array;

    #[wasm_bindgen(method, getter, js_name = HEAPU8)]
    pub fn heap_u8(this: &Module) -> js_sys::Uint8Array;

    #[wasm_bindgen(method, getter, js_name = HEAPU32)]
    pub fn heap_u32(this: &Module) -> js_sys::Uint32Array;

    #[wasm_bindgen(method, getter, js_name = _Py_Version)]
    pub fn py_version_address(this: &Module) -> u32;

    #[wasm_bindgen(method, js_name = addRunDependency)]
    pub fn add_run_dependency(this: &Module, name: &str);

    #[wasm_bindgen(method, js_name = removeRunDependency)]
    pub fn remove_run_dependency(this: &Module, name: &str);

    #[wasm_bindgen(method, catch, js_name = mmapAlloc)]
    pub fn mmap_alloc(this: &Module, length: u32) -> Result<u32, JsValue>;

    /// Emscripten's `FS`.
    #[derive(Clone)]
    pub type Fs;

    #[wasm_bindgen(method, setter)]
    pub fn set_root(this: &Fs, root: &JsValue);

    #[wasm_bindgen(method, setter, js_name = nameTable)]
    pub fn set_name_table(this: &Fs, table: &Array);

    #[wasm_bindgen(method, getter, js_name = nameTable)]
    pub fn name_table(this: &Fs) -> Array;

    #[wasm_bindgen(method, getter)]
    pub fn chrdev_stream_ops(this: &Fs) -> Object;

    #[wasm_bindgen(method, getter)]
    pub fn filesystems(this: &Fs) -> Object;

    #[wasm_bindgen(method, catch)]
    pub fn chmod(this: &Fs, path: &str, mode: u32) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn utime(this: &Fs, path: &str, accessed: f64, modified: f64) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter, js_name = ErrnoError)]
    pub fn errno_error(this: &Fs) -> Function;

    #[wasm_bindgen(method, js_name = createNode)]
    pub fn create_node(this: &Fs, parent: &JsValue, name: &str, mode: u32, rdev: u32) -> FsNode;

    #[wasm_bindgen(method, catch, js_name = lookupNode)]
    pub fn lookup_node(this: &Fs, parent: &FsNode, name: &str) -> Result<FsNode, JsValue>;

    #[wasm_bindgen(method, js_name = hashAddNode)]
    pub fn hash_add_node(this: &Fs, node: &FsNode);

    #[wasm_bindgen(method, js_name = hashRemoveNode)]
    pub fn hash_remove_node(this: &Fs, node: &FsNode);

    #[wasm_bindgen(method, catch)]
    pub fn mount(this: &Fs, file_system: &Object, options: &Object, mount_point: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = createDefaultDirectories)]
    pub fn create_default_directories(this: &Fs) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = createDefaultDevices)]
    pub fn create_default_devices(this: &Fs) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = createSpecialDirectories)]
    pub fn create_special_directories(this: &Fs) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn chdir(this: &Fs, path: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    pub fn cwd(this: &Fs) -> String;

    #[wasm_bindgen(method, catch, js_name = readFile)]
    pub fn read_file(this: &Fs, path: &str) -> Result<js_sys::Uint8Array, JsValue>;

    #[wasm_bindgen(method, catch, js_name = writeFile)]
    pub fn write_file(this: &Fs, path: &str, data: &js_sys::Uint8Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn mkdir(this: &Fs, path: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = mkdirTree)]
    pub fn mkdir_tree(this: &Fs, path: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn readdir(this: &Fs, path: &str) -> Result<Array, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn stat(this: &Fs, path: &str) -> Result<FsStat, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn lstat(this: &Fs, path: &str) -> Result<FsStat, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn rename(this: &Fs, from: &str, to: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn unlink(this: &Fs, path: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn rmdir(this: &Fs, path: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn open(this: &Fs, path: &str, flags: u32) -> Result<Object, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getPath)]
    pub fn get_path(this: &Fs, node: &JsValue) -> Result<String, JsValue>;

    #[wasm_bindgen(method, catch, js_name = lookupPath)]
    pub fn lookup_path(this: &Fs, path: &str, options: &Object) -> Result<JsValue, JsValue>;

    /// An `FSNode`. `inode` is ours: the number in the Rust file system.
    #[derive(Clone, PartialEq)]
    pub type FsNode;

    #[wasm_bindgen(method, getter)]
    pub fn inode(this: &FsNode) -> u32;

    #[wasm_bindgen(method, getter, js_name = inode)]
    pub fn known_inode(this: &FsNode) -> Option<u32>;

    #[wasm_bindgen(method, getter)]
    pub fn mounted(this: &FsNode) -> JsValue;

    #[wasm_bindgen(method, getter)]
    pub fn name_next(this: &FsNode) -> JsValue;

    #[wasm_bindgen(method, setter)]
    pub fn set_inode(this: &FsNode, inode: u32);

    #[wasm_bindgen(method, getter)]
    pub fn name(this: &FsNode) -> String;

    #[wasm_bindgen(method, setter)]
    pub fn set_name(this: &FsNode, name: &str);

    #[wasm_bindgen(method, setter)]
    pub fn set_mode(this: &FsNode, mode: u32);

    #[wasm_bindgen(method, getter)]
    pub fn parent(this: &FsNode) -> FsNode;

    #[wasm_bindgen(method, setter)]
    pub fn set_node_ops(this: &FsNode, ops: &Object);

    #[wasm_bindgen(method, setter)]
    pub fn set_stream_ops(this: &FsNode, ops: &Object);

    /// An open file.
    pub type FsStream;

    #[wasm_bindgen(method, getter)]
    pub fn node(this: &FsStream) -> FsNode;

    #[wasm_bindgen(method, getter)]
    pub fn path(this: &FsStream) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    pub fn position(this: &FsStream) -> f64;

    /// What a caller of `setattr` wants changed; every property may be absent or null.
    pub type FsAttributes;

    #[wasm_bindgen(method, getter)]
    pub fn mode(this: &FsAttributes) -> Option<u32>;

    #[wasm_bindgen(method, getter)]
    pub fn size(this: &FsAttributes) -> Option<f64>;

    #[wasm_bindgen(method, getter)]
    pub fn atime(this: &FsAttributes) -> JsValue;

    #[wasm_bindgen(method, getter)]
    pub fn mtime(this: &FsAttributes) -> JsValue;

    #[wasm_bindgen(method, getter)]
    pub fn ctime(this: &FsAttributes) -> JsValue;

    /// What `FS.stat` gives.
    pub type FsStat;

    #[wasm_bindgen(method, getter, js_name = mode)]
    pub fn stat_mode(this: &FsStat) -> u32;

    #[wasm_bindgen(method, getter, js_name = size)]
    pub fn stat_size(this: &FsStat) -> f64;

    #[wasm_bindgen(method, getter, js_name = ino)]
    pub fn stat_inode(this: &FsStat) -> u32;

    #[wasm_bindgen(method, getter, js_name = atime)]
    pub fn stat_atime(this: &FsStat) -> js_sys::Date;

    #[wasm_bindgen(method, getter, js_name = mtime)]
    pub fn stat_mtime(this: &FsStat) -> js_sys::Date;

    #[wasm_bindgen(method, getter, js_name = ctime)]
    pub fn stat_ctime(this: &FsStat) -> js_sys::Date;

    /// Pyodide's internal `API` object.
    #[derive(Clone)]
    pub type Api;

    #[wasm_bindgen(method, catch, js_name = rawRun)]
    pub fn raw_run(this: &Api, code: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = finalizeBootstrap)]
    pub fn finalize_bootstrap(this: &Api) -> Result<PublicApi, JsValue>;

    #[wasm_bindgen(method, catch, js_name = finalizeBootstrap)]
    pub fn finalize_restored_bootstrap(this: &Api, state: &Object, find: &JsValue) -> Result<PublicApi, JsValue>;

    #[wasm_bindgen(method, getter, js_name = bootstrapFinalizedPromise)]
    pub fn bootstrap_finalized(this: &Api) -> js_sys::Promise;

    #[wasm_bindgen(method, getter, js_name = packageManager)]
    pub fn package_manager(this: &Api) -> Option<PackageManager>;

    #[wasm_bindgen(method, getter, js_name = install)]
    pub fn install_function(this: &Api) -> Option<Function>;

    #[wasm_bindgen(method, catch, js_name = loadDynlib)]
    pub fn load_dynlib(this: &Api, path: &str) -> Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(method, getter, js_name = packageIndexReady)]
    pub fn package_index_ready(this: &Api) -> Option<js_sys::Promise>;

    #[wasm_bindgen(method, catch, js_name = initializeStreams)]
    pub fn initialize_streams(this: &Api, stdin: &JsValue, stdout: &JsValue, stderr: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter)]
    pub fn version(this: &Api) -> String;

    #[wasm_bindgen(method, getter, js_name = pyVersionTuple)]
    pub fn py_version_tuple(this: &Api) -> Option<Array>;

    /// Pyodide's `PackageManager` (`src/js/load-package.ts`).
    #[derive(Clone)]
    pub type PackageManager;

    #[wasm_bindgen(method, getter, js_name = loadedPackages)]
    pub fn loaded(this: &PackageManager) -> Object;

    /// What Pyodide's package manager knows of a package that it wants: `PackageLoadMetadata`.
    #[derive(Clone)]
    pub type RequestedPackage;

    #[wasm_bindgen(method, getter)]
    pub fn name(this: &RequestedPackage) -> String;

    #[wasm_bindgen(method, getter, js_name = normalizedName)]
    pub fn normalized_name(this: &RequestedPackage) -> String;

    #[wasm_bindgen(method, getter)]
    pub fn channel(this: &RequestedPackage) -> String;

    #[wasm_bindgen(method, getter)]
    pub fn depends(this: &RequestedPackage) -> Array;

    #[wasm_bindgen(method, getter)]
    pub fn done(this: &RequestedPackage) -> PackageDone;

    #[wasm_bindgen(method, getter, js_name = packageData)]
    pub fn package_data(this: &RequestedPackage) -> JsValue;

    /// A promise that has its own `resolve`.
    #[wasm_bindgen(extends = js_sys::Promise)]
    #[derive(Clone)]
    pub type PackageDone;

    #[wasm_bindgen(method)]
    pub fn resolve(this: &PackageDone);

    /// The object that Pyodide's `loadPyodide` gives.
    #[derive(Clone)]
    pub type PublicApi;

    #[wasm_bindgen(method, catch, js_name = runPython)]
    pub fn run_python(this: &PublicApi, code: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn pyimport(this: &PublicApi, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = registerJsModule)]
    pub fn register_js_module(this: &PublicApi, name: &str, module: &Object) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = setStdin)]
    pub fn set_stdin(this: &PublicApi, options: &Object) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = setStdout)]
    pub fn set_stdout(this: &PublicApi, options: &Object) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = setStderr)]
    pub fn set_stderr(this: &PublicApi, options: &Object) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = setInterruptBuffer)]
    pub fn set_interrupt_buffer(this: &PublicApi, buffer: &Object) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter, js_name = loadedPackages)]
    pub fn loaded_packages(this: &PublicApi) -> Object;
}

impl Fs {
    /// Whether another file system is mounted at a path.
    pub fn is_mounted(&self, path: &str) -> bool {
        self.mount_point(path).is_some_and(|node| node.mounted().is_truthy())
    }

    /// The node at a path, which another file system may be mounted over.
    pub fn mount_point(&self, path: &str) -> Option<FsNode> {
        let options = Object::new();
        super::abi::set(&options, "follow_mount", &false.into());
        let found = self.lookup_path(path, &options).ok()?;
        Some(js_sys::Reflect::get(&found, &"node".into()).ok()?.unchecked_into())
    }
}
