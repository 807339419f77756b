package io.aerostat.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;

import java.lang.reflect.Modifier;

/** The architecture of docs/architecture.md, as far as a machine can see it. */
@AnalyzeClasses(packages = "io.aerostat", importOptions = ArchitectureTest.ProductionCode.class)
final class ArchitectureTest {
    /** Neither tests nor the test kit, whether they lie in a folder or in a jar. */
    static final class ProductionCode implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("/test-classes/") && !location.contains("-tests.jar");
        }
    }

    private static final String[] DATA_PATH = {
        "io.aerostat.virtio..", "io.aerostat.balloon..", "io.aerostat.guest.."
    };

    private static final String[] JAVA = {"java..", "org.jspecify.."};

    @ArchTest
    static final ArchRule coreKnowsNobody =
            onlyKnows("io.aerostat.virtio..", "org.agrona..", "org.jctools..");

    @ArchTest
    static final ArchRule theDeviceKnowsTheCoreAlone =
            onlyKnows("io.aerostat.balloon..", "io.aerostat.virtio..");

    @ArchTest
    static final ArchRule theDriverKnowsTheCoreAlone =
            onlyKnows("io.aerostat.guest..", "io.aerostat.virtio..", "org.agrona.collections..");

    @ArchTest
    static final ArchRule hostMemoryKnowsTheCoreAndTheReclaimersSeam =
            onlyKnows(
                    "io.aerostat.memory..", "io.aerostat.virtio..", "io.aerostat.balloon.range..");

    @ArchTest
    static final ArchRule packagesOfTheCoreFormALine =
            layeredArchitecture()
                    .consideringOnlyDependenciesInAnyPackage("io.aerostat.virtio..")
                    .layer("spec")
                    .definedBy("io.aerostat.virtio.spec", "io.aerostat.virtio.spec.balloon")
                    .layer("memory")
                    .definedBy("io.aerostat.virtio.memory")
                    .layer("snapshot")
                    .definedBy("io.aerostat.virtio.snapshot")
                    .layer("queue")
                    .definedBy("io.aerostat.virtio.queue")
                    .layer("device")
                    .definedBy("io.aerostat.virtio.device")
                    .layer("driver")
                    .definedBy("io.aerostat.virtio.driver")
                    .layer("transport")
                    .definedBy("io.aerostat.virtio.transport..")
                    .whereLayer("transport")
                    .mayNotBeAccessedByAnyLayer()
                    .whereLayer("driver")
                    .mayOnlyBeAccessedByLayers("transport")
                    .whereLayer("device")
                    .mayOnlyBeAccessedByLayers("transport")
                    .whereLayer("queue")
                    .mayOnlyBeAccessedByLayers("device", "driver", "transport")
                    .whereLayer("snapshot")
                    .mayOnlyBeAccessedByLayers("queue", "device", "transport")
                    .whereLayer("memory")
                    .mayOnlyBeAccessedByLayers("queue", "device", "transport");

    @ArchTest
    static final ArchRule packagesOfTheDeviceFormALine =
            layeredArchitecture()
                    .consideringOnlyDependenciesInAnyPackage("io.aerostat.balloon..")
                    .layer("range")
                    .definedBy("io.aerostat.balloon.range")
                    .layer("stats")
                    .definedBy("io.aerostat.balloon.stats")
                    .layer("reclaim")
                    .definedBy("io.aerostat.balloon.reclaim")
                    .layer("handler")
                    .definedBy("io.aerostat.balloon.handler")
                    .layer("balloon")
                    .definedBy("io.aerostat.balloon")
                    .whereLayer("balloon")
                    .mayNotBeAccessedByAnyLayer()
                    .whereLayer("reclaim")
                    .mayNotBeAccessedByAnyLayer()
                    .whereLayer("handler")
                    .mayOnlyBeAccessedByLayers("balloon");

    @ArchTest
    static final ArchRule packagesOfHostMemoryFormALine =
            layeredArchitecture()
                    .consideringOnlyDependenciesInAnyPackage("io.aerostat.memory..")
                    .layer("os")
                    .definedBy("io.aerostat.memory.os")
                    .layer("backend")
                    .definedBy("io.aerostat.memory.backend")
                    .layer("own")
                    .definedBy("io.aerostat.memory.own")
                    .whereLayer("backend")
                    .mayNotBeAccessedByAnyLayer()
                    .whereLayer("own")
                    .mayNotBeAccessedByAnyLayer();

    @ArchTest
    static final ArchRule packagesOfTheGuestFormALine =
            layeredArchitecture()
                    .consideringOnlyDependenciesInAnyPackage("io.aerostat.guest..")
                    .layer("page")
                    .definedBy("io.aerostat.guest.page")
                    .layer("task")
                    .definedBy("io.aerostat.guest.task")
                    .layer("balloon")
                    .definedBy("io.aerostat.guest.balloon")
                    .layer("frame")
                    .definedBy("io.aerostat.guest.mm.frame")
                    .layer("mm")
                    .definedBy("io.aerostat.guest.mm")
                    .layer("workload")
                    .definedBy("io.aerostat.guest.workload")
                    .layer("model")
                    .definedBy("io.aerostat.guest.model")
                    .withOptionalLayers(true)
                    .whereLayer("model")
                    .mayNotBeAccessedByAnyLayer()
                    .whereLayer("workload")
                    .mayOnlyBeAccessedByLayers("model")
                    .whereLayer("balloon")
                    .mayOnlyBeAccessedByLayers("model")
                    .whereLayer("task")
                    .mayOnlyBeAccessedByLayers("workload", "model")
                    .whereLayer("mm")
                    .mayOnlyBeAccessedByLayers("workload", "model")
                    .whereLayer("frame")
                    .mayOnlyBeAccessedByLayers("mm", "workload", "model");

    @ArchTest
    static final ArchRule packagesOfTheHostFormALine =
            layeredArchitecture()
                    .consideringOnlyDependenciesInAnyPackage("io.aerostat.vmm..")
                    .layer("os")
                    .definedBy("io.aerostat.vmm.os")
                    .layer("thread")
                    .definedBy("io.aerostat.vmm.thread")
                    .layer("vm")
                    .definedBy("io.aerostat.vmm.vm")
                    .layer("vhost")
                    .definedBy("io.aerostat.vmm.vhost..")
                    .layer("guest")
                    .definedBy("io.aerostat.vmm.guest")
                    .layer("linux")
                    .definedBy("io.aerostat.vmm.linux")
                    .layer("report")
                    .definedBy("io.aerostat.vmm.report")
                    .layer("monitor")
                    .definedBy("io.aerostat.vmm.monitor..")
                    .layer("serve")
                    .definedBy("io.aerostat.vmm.serve")
                    .layer("demo")
                    .definedBy("io.aerostat.vmm.demo")
                    .layer("cli")
                    .definedBy("io.aerostat.vmm.cli")
                    .withOptionalLayers(true)
                    .whereLayer("cli")
                    .mayNotBeAccessedByAnyLayer()
                    .whereLayer("demo")
                    .mayOnlyBeAccessedByLayers("cli")
                    .whereLayer("report")
                    .mayOnlyBeAccessedByLayers("demo", "cli")
                    .whereLayer("serve")
                    .mayOnlyBeAccessedByLayers("demo", "cli")
                    .whereLayer("monitor")
                    .mayOnlyBeAccessedByLayers("serve", "report", "demo", "cli")
                    .whereLayer("vhost")
                    .mayOnlyBeAccessedByLayers("serve", "demo", "cli")
                    .whereLayer("vm")
                    .mayOnlyBeAccessedByLayers("vhost", "monitor", "serve", "report", "demo", "cli")
                    .whereLayer("linux")
                    .mayOnlyBeAccessedByLayers("demo", "cli")
                    .whereLayer("guest")
                    .mayOnlyBeAccessedByLayers("report", "demo", "cli")
                    .whereLayer("os")
                    .mayOnlyBeAccessedByLayers("vhost", "serve");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.aerostat.(**)").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule theCoreKnowsNoBalloon =
            noClasses()
                    .that()
                    .resideInAPackage("io.aerostat.virtio..")
                    .and()
                    .resideOutsideOfPackage("io.aerostat.virtio.spec.balloon")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("io.aerostat.virtio.spec.balloon");

    @ArchTest
    static final ArchRule oneClassTouchesGuestRam =
            noClasses()
                    .that()
                    .doNotHaveFullyQualifiedName("io.aerostat.virtio.memory.RamAccess")
                    .should()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName("org.agrona.UnsafeApi")
                    .orShould()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName("org.agrona.BufferUtil")
                    .orShould()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName("org.agrona.concurrent.UnsafeBuffer");

    @ArchTest
    static final ArchRule oneClassIssuesTheRingsFences =
            noClasses()
                    .that()
                    .resideInAnyPackage(
                            "io.aerostat.virtio.queue",
                            "io.aerostat.balloon..",
                            "io.aerostat.guest..")
                    .and()
                    .doNotHaveSimpleName("RingFences")
                    .should()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName("java.lang.invoke.VarHandle");

    @ArchTest
    static final ArchRule nativeCallsLiveInHostMemoryAndOsPackages =
            noClasses()
                    .that()
                    .resideOutsideOfPackages("io.aerostat.memory..", "io.aerostat.vmm.os")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("java.lang.foreign");

    @ArchTest
    static final ArchRule linkersLiveInOsPackagesAlone =
            noClasses()
                    .that()
                    .resideOutsideOfPackage("..os")
                    .should()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName("java.lang.foreign.Linker");

    @ArchTest
    static final ArchRule noLocksOnTheDataPath =
            noClasses()
                    .that()
                    .resideInAnyPackage(DATA_PATH)
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("java.util.concurrent.locks")
                    .orShould()
                    .callMethod(Thread.class, "sleep", long.class)
                    .orShould()
                    .callMethod(Object.class, "wait")
                    .orShould()
                    .callMethod(Object.class, "wait", long.class)
                    .orShould()
                    .dependOnClassesThat()
                    .haveNameMatching(
                            "java\\.util\\.concurrent\\.(CountDownLatch|Semaphore|.*Blocking.*|Future|CompletableFuture)");

    @ArchTest
    static final ArchRule noSynchronizedMethodsOnTheDataPath =
            noMethods()
                    .that()
                    .areDeclaredInClassesThat()
                    .resideInAnyPackage(DATA_PATH)
                    .should()
                    .haveModifier(JavaModifier.SYNCHRONIZED);

    @ArchTest
    static final ArchRule noThreadsBelowTheHost =
            noClasses()
                    .that()
                    .resideInAnyPackage(DATA_PATH)
                    .or()
                    .resideInAPackage("io.aerostat.memory..")
                    .should()
                    .callConstructor(Thread.class)
                    .orShould()
                    .dependOnClassesThat()
                    .haveSimpleNameEndingWith("Executor");

    @ArchTest
    static final ArchRule behaviourIsNotInherited =
            classes()
                    .that()
                    .areNotInterfaces()
                    .and()
                    .areNotEnums()
                    .and()
                    .areNotAnonymousClasses()
                    .and()
                    .resideOutsideOfPackage("io.aerostat.bench..")
                    .should(beFinalOrSealed());

    @ArchTest
    static final ArchRule namesSayWhatThingsAre =
            noClasses()
                    .should()
                    .haveNameMatching(
                            ".*\\.(Abstract|Base)[A-Z]\\w*|.*(Impl|Manager|Util|Utils|Helper)");

    private static ArchRule onlyKnows(String who, String... whom) {
        return classes()
                .that(resideInAPackage(who))
                .should()
                .onlyDependOnClassesThat(
                        resideInAPackage(who)
                                .or(resideInAnyPackage(JAVA))
                                .or(resideInAnyPackage(whom)));
    }

    private static ArchCondition<JavaClass> beFinalOrSealed() {
        return new ArchCondition<>("be final or sealed") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                Class<?> reflected = type.reflect();
                boolean holds = Modifier.isFinal(reflected.getModifiers()) || reflected.isSealed();
                events.add(
                        new SimpleConditionEvent(
                                type, holds, type.getName() + " is neither final nor sealed"));
            }
        };
    }
}
